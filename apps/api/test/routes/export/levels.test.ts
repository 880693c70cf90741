import t from 'tap'
import { startApi } from '../../fixtures/api.ts'
import { admin, patient } from '../../fixtures/exports.ts'
import { acceptedRow, post } from '../../fixtures/kick-off.ts'
import { givenGroup, givenPatients } from '../../fixtures/source.ts'
import { bearer } from '../../fixtures/token.ts'

const levels = [
  ['/Patient/$export', { level: 'patient', group_id: null }],
  ['/$export', { level: 'system', group_id: null }],
  ['/Group/g-1/$export', { level: 'group', group_id: 'g-1' }],
] as const

t.test('an ADMIN starts exports at every level, by GET and by POST', async (t) => {
  const api = await startApi(t, { environment: { MAX_ACTIVE_EXPORTS: '20' } })
  await givenGroup(api, 'g-1', [])
  for (const [path, expected] of levels) {
    for (const url of [path, path.replace('$', '%24')]) {
      const response = await api.app.inject({ url: `/fhir/r4${url}?_type=Patient`, headers: bearer(admin) })
      t.match(await acceptedRow(api, response), {
        ...expected, request: `/fhir/r4${url}?_type=Patient`, types: ['Patient'], requester_role: 'ADMIN', patient_id: null,
      })
    }
    const response = await post(api, { path, query: '?_since=2026-01-01T00:00:00Z', parts: [{ name: '_type', valueString: 'Consent' }] })
    t.equal(response.body, '')
    t.match(await acceptedRow(api, response), {
      ...expected,
      request: `/fhir/r4${path}?_since=2026-01-01T00:00:00Z`,
      types: ['Consent'],
      parameters: { _since: '2026-01-01T00:00:00.000000Z' },
    })
  }
})

t.test('a PATIENT starts them at patient level alone', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'g-1', [{ patient: 'pat-1' }])
  for (const [path, { level }] of levels) {
    const byGet = await api.app.inject({ url: `/fhir/r4${path}`, headers: bearer(patient) })
    const byPost = await post(api, { path, claims: patient })
    for (const response of [byGet, byPost]) t.equal(response.statusCode, level === 'patient' ? 202 : 403, path)
  }
  const unknown = await api.app.inject({ url: '/fhir/r4/Group/nope/$export', headers: bearer(patient) })
  t.equal(unknown.statusCode, 403, 'whether there is such a group is not told')
})

t.test('a group that is unknown or deleted is 404', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'gone', [], { deleted: true })
  for (const id of ['nope', 'gone', 'G-1', '%27', 'a%20b', '%00', 'x'.repeat(99)]) {
    const response = await api.app.inject({ url: `/fhir/r4/Group/${id}/$export`, headers: bearer(admin) })
    t.equal(response.statusCode, 404, id)
    t.match(response.json(), { issue: [{ code: 'not-found' }] })
  }
})

t.test('a token without a valid signature gets 401 before anything else is looked at', async (t) => {
  const { app } = await startApi(t)
  for (const [path] of levels) {
    const response = await app.inject({
      method: 'POST', url: `/fhir/r4${path}?foo=1`, headers: { 'content-type': 'text/plain' }, payload: 'x'.repeat(2 ** 21),
    })
    t.equal(response.statusCode, 401, path)
  }
})

t.test('scopes limit the types where none are asked for', async (t) => {
  const api = await startApi(t)
  const claims = { ...admin, scope: 'system/Patient.rs system/Consent.rs' }
  t.strictSame((await acceptedRow(api, await post(api, { claims }))).types, ['Patient', 'Consent'])
  t.strictSame((await acceptedRow(api, await post(api, { claims, query: '?_type=Consent' }))).types, ['Consent'])
})

t.test('the patient parameter: known patients, in a group its members', async (t) => {
  const api = await startApi(t, { environment: { MAX_ACTIVE_EXPORTS: '20' } })
  await givenPatients(api, ['pat-1', 'pat-2', 'pat-3'])
  await givenPatients(api, ['gone'], { deleted: true })
  await givenGroup(api, 'g-1', [
    { patient: 'pat-1' }, { patient: 'pat-2', inactive: true }, { patient: 'pat-3', deleted: true }, { patient: 'gone' },
  ])
  const named = (...ids: string[]) => ids.map((id) => ({ name: 'patient', valueReference: { reference: `Patient/${id}` } }))

  t.strictSame((await acceptedRow(api, await post(api))).parameters.patient, undefined)
  t.strictSame(
    (await acceptedRow(api, await post(api, { parts: named('pat-2', 'pat-1', 'pat-2') }))).parameters.patient, ['pat-2', 'pat-1']
  )
  t.strictSame(
    (await acceptedRow(api, await post(api, { parts: named('gone') }))).parameters.patient, ['gone'],
    'with _since there is something to tell of a deleted one'
  )
  t.strictSame(
    (await acceptedRow(api, await post(api, { path: '/Group/g-1/$export', parts: named('pat-1') }))).parameters.patient, ['pat-1']
  )
  t.match(await acceptedRow(api, await post(api, { claims: patient, parts: named('pat-1') })), {
    parameters: { patient: ['pat-1'] }, patient_id: 'pat-1',
  })
  for (const id of ['pat-2', 'pat-3', 'gone', 'nobody']) {
    t.equal((await post(api, { path: '/Group/g-1/$export', parts: named(id) })).statusCode, 400, id)
  }

  const some = await acceptedRow(api, await post(api, { prefer: 'handling=lenient', parts: named('pat-1', 'nobody', 'no-one') }))
  t.strictSame(some.parameters.patient, ['pat-1'])
  t.match(some.ignored, [/^patient: 2 of 3 patients are unknown: ignored/])
  t.notMatch(some.ignored.join(), /nobody/)
  const none = await acceptedRow(api, await post(api, { prefer: 'handling=lenient', path: '/Group/g-1/$export', parts: named('pat-3') }))
  t.strictSame(none.parameters.patient, [], 'nobody, and not everybody')
  t.match(none.ignored, [/^patient: 1 of 1 patients is not in the group/])
})
