import { readExportRow } from '@fhir-bulk-export/core/testing/database'
import { createExportQueue } from '@fhir-bulk-export/core/queue'
import t from 'tap'
import { publicUrl, requestOverSocket, startApi } from '../../fixtures/api.ts'
import { admin, kickOff, patient, statusPath } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

const separate = 'respond-async, separate-export-status'

t.test('a kick-off is accepted with the absolute address of its status', async (t) => {
  const { app, db } = await startApi(t)
  const response = await app.inject({
    url: '/fhir/r4/Patient/$export?_type=Patient', headers: { ...bearer(admin), host: 'evil.example', 'x-forwarded-host': 'evil.example' },
  })
  t.equal(response.statusCode, 202)
  t.equal(response.body, '')
  t.equal(response.headers['content-length'], '0')
  const location = String(response.headers['content-location'])
  t.match(location, /^https:\/\/fhir\.example\.org\/bulk\/fhir\/r4\/\$export-status\/[0-9a-f-]{36}$/)
  t.match(await readExportRow(db, location.slice(-36)), {
    status: 'pending',
    profile: 'status-in-body',
    request: '/fhir/r4/Patient/$export?_type=Patient',
    requester_role: 'ADMIN',
    requester: /^[0-9a-f]{64}$/,
    issuer: admin.iss,
    patient_id: null,
    types: ['Patient'],
    parameters: {},
  })
})

t.test('%24 is a $, and the request is kept as it was sent', async (t) => {
  const api = await startApi(t)
  for (const [url, request] of [
    ['/fhir/r4/Patient/%24export', '/fhir/r4/Patient/%24export'],
    ['/fhir/r4/Patient/$export?_type=Patient,Consent&_type=Patient', '/fhir/r4/Patient/$export?_type=Patient,Consent&_type=Patient'],
    ['/fhir/r4/Patient/%24export?_since=2026-01-01T00:00:00%2B01:00', '/fhir/r4/Patient/%24export?_since=2026-01-01T00:00:00%2B01:00'],
  ] as const) {
    const { statusCode, headers } = await api.app.inject({ url, headers: bearer(admin) })
    t.equal(statusCode, 202, url)
    const id = String(headers['content-location']).slice(-36)
    t.equal((await readExportRow(api.db, id))?.request, request)
    const status = await api.app.inject({ url: statusPath(id).replace('$', '%24'), headers: bearer(admin) })
    t.equal(status.statusCode, 200)
  }
})

t.test('a PATIENT exports the own compartment and nothing else', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api, { claims: patient })
  t.match(await readExportRow(api.db, id), { requester_role: 'PATIENT', patient_id: 'pat-1', issuer: patient.iss })
  t.notMatch((await readExportRow(api.db, id))?.requester, /pat-1/)
})

t.test('Prefer chooses the wire profile; unknown preferences are ignored', async (t) => {
  const api = await startApi(t, { environment: { MAX_ACTIVE_EXPORTS: '20' } })
  for (const [prefer, profile] of [
    ['respond-async', 'respond-async'],
    ['handling=lenient, Respond-Async; wait=10', 'respond-async'],
    [separate, 'separate-export-status'],
    ['Separate-Export-Status;x=y, respond-async', 'separate-export-status'],
    ['respond-async; separate-export-status', 'respond-async'],
    ['x="respond-async, separate-export-status"', 'status-in-body'],
    ['return=minimal', 'status-in-body'],
    ['separate-export-status', 'status-in-body'],
    ['not-respond-async', 'status-in-body'],
    ['', 'status-in-body'],
  ] as const) {
    t.equal((await readExportRow(api.db, await kickOff(api, { prefer })))?.profile, profile, prefer)
  }
})

t.test('the kick-off says which preferences it applied', async (t) => {
  const { app } = await startApi(t)
  for (const [asked, applied] of [
    [separate, separate], ['separate-export-status, respond-async;x, handling=lenient', separate],
    ['respond-async', undefined], ['', undefined],
  ] as const) {
    const { headers } = await app.inject({ url: '/fhir/r4/Patient/$export', headers: { ...bearer(admin), prefer: asked } })
    t.equal(headers['preference-applied'], applied, asked)
  }
})

t.test('a preference in a header of its own counts', async (t) => {
  const { app } = await startApi(t)
  const prefer = ['separate-export-status', 'handling=lenient', 'respond-async']
  const { statusCode, headers } = await requestOverSocket(app, {
    path: '/fhir/r4/Patient/$export?foo=1', headers: { ...bearer(admin), prefer },
  })
  t.equal(statusCode, 202)
  t.equal(headers['preference-applied'], separate)
})

t.test('a queue that is down changes nothing in the answer', async (t) => {
  const queue = createExportQueue('redis://127.0.0.1:1', { onError: () => {} }) // nobody listens there
  t.teardown(async () => { await queue.close() })
  const { app, db, logLines } = await startApi(t, { wrap: () => ({ queue }) })
  const response = await app.inject({ url: '/fhir/r4/Patient/$export', headers: bearer(admin) })
  t.equal(response.statusCode, 202)
  t.match(await readExportRow(db, String(response.headers['content-location']).slice(-36)), { status: 'pending' })
  t.ok(logLines.some((line) => line.includes('could not be enqueued')), 'the log tells')
})

t.test('simultaneous kick-offs do not get past the limit', async (t) => {
  const api = await startApi(t, { environment: { MAX_ACTIVE_EXPORTS: '7' } })
  const { app, db } = api
  const kickOffs = Array.from({ length: 50 }, async () => await app.inject({ url: '/fhir/r4/Patient/$export', headers: bearer(admin) }))
  const responses = await Promise.all(kickOffs)
  t.equal(responses.filter(({ statusCode }) => statusCode === 202).length, 7)
  const refused = responses.filter(({ statusCode }) => statusCode === 429)
  t.equal(refused.length, 43)
  t.match(refused[0]?.headers, { 'retry-after': /^\d+$/ })
  t.match(refused[0]?.json(), { issue: [{ code: 'throttled', details: { coding: [{ code: 'too-many-requests' }] } }] })
  t.equal((await db.selectFrom('bulk_export_jobs').select('id').execute()).length, 7)
  await kickOff(api, { claims: patient }) // another caller has a limit of its own
})

t.test('an ended export no longer counts', async (t) => {
  const api = await startApi(t, { environment: { MAX_ACTIVE_EXPORTS: '1' } })
  const id = await kickOff(api)
  await t.rejects(kickOff(api), /429/)
  await api.app.inject({ method: 'DELETE', url: statusPath(id), headers: bearer(admin) })
  await kickOff(api)
})

t.test('the host of an absolute request target gets nowhere', async (t) => {
  const { app, db } = await startApi(t)
  const response = await requestOverSocket(app, {
    path: 'http://evil.example/fhir/r4/Patient/$export?_type=Patient', headers: { ...bearer(admin), host: 'evil.example' },
  })
  const location = String(response.headers['content-location'])
  t.ok(location.startsWith(`${publicUrl}/fhir/r4/$export-status/`))
  t.equal((await readExportRow(db, location.slice(-36)))?.request, '/fhir/r4/Patient/$export?_type=Patient')
})

t.test('_since and _outputFormat are accepted with a plus that was not encoded', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api, { query: '?_since=2026-02-22T15:30:00+02:00&_outputFormat=application/fhir+ndjson' })
  t.equal((await readExportRow(api.db, id))?.parameters._since, '2026-02-22T13:30:00.000000Z')
})
