import t from 'tap'
import { startApi } from '../../fixtures/api.ts'
import { admin, complete, filePath, kickOff, patient, statusPath } from '../../fixtures/exports.ts'
import { givenGroup } from '../../fixtures/source.ts'
import { bearer } from '../../fixtures/token.ts'

const files = [
  { name: 'Patient.1.ndjson', type: 'Patient', body: '{"resourceType":"Patient"}\n' },
  { name: 'Consent.1.ndjson', type: 'Consent', body: '{"resourceType":"Consent"}\n' },
  { name: 'error.1.ndjson', type: 'OperationOutcome', body: '{"resourceType":"OperationOutcome"}\n', list: 'error' as const },
]

t.test('scopes must cover the types of an export, for a file its type, at each request anew', async (t) => {
  const api = await startApi(t)
  for (const [claims, whole, readable] of [
    [{ ...admin, scope: 'system/*.rs' }, true, ['Patient.1.ndjson', 'Consent.1.ndjson', 'error.1.ndjson']],
    [{ ...admin, scope: 'system/Patient.read system/Consent.rs' }, true, ['Patient.1.ndjson', 'Consent.1.ndjson', 'error.1.ndjson']],
    [{ ...admin, scope: 'openid' }, true, ['Patient.1.ndjson', 'Consent.1.ndjson', 'error.1.ndjson']],
    [{ ...admin, scope: 'system/Patient.rs' }, false, ['Patient.1.ndjson']],
    [{ ...admin, role: undefined, scope: 'system/Consent.rs' }, false, ['Consent.1.ndjson']],
    [{ ...admin, scope: 'system/Provenance.rs' }, false, []],
    [{ ...admin, scope: 'patient/*.rs' }, false, []],
    [{ ...admin, scope: 'system/*.write' }, false, []],
    [{ ...admin, scope: 'system/Patient.rs?_id=1 system/*.rs' }, false, []],
  ] as const) {
    const name = JSON.stringify(claims)
    const headers = bearer(claims)
    const id = await kickOff(api, { query: '?_type=Patient,Consent' })
    await complete(api, id, files)
    for (const method of ['GET', 'HEAD'] as const) {
      t.equal((await api.app.inject({ method, url: statusPath(id), headers })).statusCode, whole ? 200 : 403, `${method} status: ${name}`)
    }
    for (const file of files) {
      const isReadable = readable.some((known) => known === file.name)
      for (const method of ['GET', 'HEAD'] as const) {
        const response = await api.app.inject({ method, url: filePath(id, file.name), headers })
        t.equal(response.statusCode, isReadable ? 200 : 403, `${method} ${file.name}: ${name}`)
        if (method === 'GET' && !isReadable) {
          t.match(response.json(), {
            issue: [{ code: 'forbidden', details: { coding: [{ code: 'forbidden' }] }, diagnostics: /scope/ }],
          })
        }
      }
    }
    t.equal((await api.app.inject({ method: 'DELETE', url: statusPath(id), headers })).statusCode, whole ? 204 : 403, `DELETE: ${name}`)
  }
})

t.test('scopes make a caller where there is no role', async (t) => {
  const api = await startApi(t)
  const own = { ...patient, role: undefined, scope: 'patient/*.rs' }
  const id = await kickOff(api, { claims: own })
  for (const [claims, status] of [
    [own, 200],
    [patient, 200],
    [{ ...patient, scope: 'patient/*.read' }, 200],
    [{ iss: 'another', scope: 'system/*.read' }, 200],
    [{ ...own, patient_id: 'pat-2' }, 403],
    [{ ...own, scope: 'patient/Patient.rs' }, 403],
    [{ ...own, scope: 'user/*.rs' }, 403],
    [{ ...own, scope: 'openid' }, 403],
  ] as const) {
    const response = await api.app.inject({ url: statusPath(id), headers: bearer(claims) })
    t.equal(response.statusCode, status, JSON.stringify(claims))
  }
})

t.test('groups are read, listed and exported with scopes that cover Group', async (t) => {
  const api = await startApi(t)
  await givenGroup(api, 'g-1', [])
  for (const [scope, isAllowed] of [
    ['system/*.rs', true], ['system/*.read', true], ['system/Patient.read system/Group.read', true],
    ['system/Patient.rs system/Group.rs', true], ['openid', true], ['system/Patient.rs', false],
    ['system/Patient.rs patient/Group.rs', false],
  ] as const) {
    for (const [path, status] of [
      ['Group', 200], ['Group/g-1', 200], ['Group/g-1/$export', 202], ['Group/none', 404], ['Group/none/$export?_type=Patient', 404],
    ] as const) {
      const response = await api.app.inject({ url: `/fhir/r4/${path}`, headers: bearer({ ...admin, scope }) })
      t.equal(response.statusCode, isAllowed ? status : 403, `${scope}: ${path}`)
    }
  }
})

t.test('a kick-off exports no more types than the scopes cover', async (t) => {
  const { app, db } = await startApi(t)
  const headers = bearer({ ...admin, scope: 'system/Patient.rs system/Consent.rs' })
  t.equal((await app.inject({ url: '/fhir/r4/Patient/$export?_type=Patient,Provenance', headers })).statusCode, 403)
  t.strictSame(await db.selectFrom('bulk_export_jobs').select('id').execute(), [])
  t.equal((await app.inject({ url: '/fhir/r4/Patient/$export', headers })).statusCode, 202)
  t.strictSame(await db.selectFrom('bulk_export_jobs').select('types').execute(), [{ types: ['Patient', 'Consent'] }])
})
