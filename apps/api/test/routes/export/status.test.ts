import { randomUUID } from 'node:crypto'
import { cancelExport, failExport, noteWorker, renewLease } from '@fhir-bulk-export/core/exports'
import { eventually } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { publicUrl, startApi, type Api } from '../../fixtures/api.ts'
import { admin, claim, complete, filePath, kickOff, patient, statusPath } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

const retryAfter = /^([1-9]|[1-5][0-9]|60)$/
const body = '{"resourceType":"Patient","id":"pat-1"}\n'
/** What each profile answers while the export waits or runs; `header` is X-Export-Status. */
const profiles = [
  { prefer: undefined, running: 200, header: undefined },
  { prefer: 'respond-async', running: 202, header: undefined },
  { prefer: 'respond-async, separate-export-status', running: 200, header: '202 Accepted' },
]

async function getStatus ({ app }: Api, id: string, method: 'GET' | 'HEAD' = 'GET') {
  return await app.inject({ method, url: statusPath(id), headers: bearer(admin) })
}

t.test('while it waits: 202 with respond-async; 200 without Prefer, and with a header that says 202', async (t) => {
  const api = await startApi(t)
  for (const { prefer, running, header } of profiles) {
    const id = await kickOff(api, { prefer })
    const response = await getStatus(api, id)
    t.equal(response.statusCode, running)
    t.equal(response.headers['x-export-status'], header)
    t.match(response.headers, {
      'content-type': /^application\/json/, 'x-progress': 'pending', 'retry-after': retryAfter, 'cache-control': 'no-store',
    })
    t.strictSame(response.json(), { status: 'pending', progress: 0, totalResources: 0 })

    const head = await getStatus(api, id, 'HEAD')
    t.equal(head.statusCode, running)
    t.equal(head.headers['x-export-status'], header)
    t.equal(head.body, '')
    t.match(head.headers, { 'x-progress': 'pending', 'retry-after': retryAfter })
  }
})

t.test('while it runs: progress in the body and in X-Progress', async (t) => {
  const api = await startApi(t)
  for (const { prefer, running, header } of profiles) {
    const id = await kickOff(api, { prefer })
    const attempt = await claim(api, id)
    t.equal((await getStatus(api, id)).headers['x-progress'], '0%')
    await renewLease(api.db, { id, attempt }, 60_000, { progress: 45, total_resources: 1000, exported_resources: 450 })
    const response = await getStatus(api, id)
    t.equal(response.statusCode, running)
    t.equal(response.headers['x-export-status'], header)
    t.match(response.headers, { 'x-progress': '45% 450/1000 Patient, Consent, DocumentReference, Provenance', 'retry-after': retryAfter })

    const types = ['Patient', 'Condition', 'DiagnosticReport', 'Encounter', 'Immunization', 'MedicationRequest', 'Observation', 'Procedure']
    await api.db.updateTable('bulk_export_jobs').set({ types }).where('id', '=', id).execute()
    t.equal(
      (await getStatus(api, id)).headers['x-progress'],
      '45% 450/1000 Patient, Condition, DiagnosticReport, Encounter, Immunization and 3 more', 'whole names in 100 characters'
    )
    t.strictSame(response.json(), { status: 'in_progress', progress: 45, totalResources: 1000 })
  }
})

t.test('without a worker: for how long none has been seen, of an export that waits for one', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api)
  const progress = async () => (await getStatus(api, id)).headers['x-progress']
  t.equal(await progress(), 'pending, no worker has been seen yet')

  const worker = { running: [], id: randomUUID(), host: 'worker-1' }
  await noteWorker(api.db, worker)
  t.equal(await progress(), 'pending')
  const goAway = async () => { await api.db.updateTable('bulk_export_workers').set({ seen_at: sql`now() - interval '1 hour'` }).execute() }
  await goAway()
  t.match(await progress(), /^pending, no worker has been seen for 36[0-9]{2} s$/)

  await claim(api, id)
  t.equal(await progress(), '0%', 'while a lease holds, there is somebody')
  await api.db.updateTable('bulk_export_jobs').set({ available_at: sql`now()` }).execute()
  t.match(await progress(), /^0%, waiting for a worker, no worker has been seen for 36[0-9]{2} s$/)
  await noteWorker(api.db, worker)
  t.equal(await progress(), '0%')
  await eventually(async () => (await api.app.inject({ url: '/readyz' })).statusCode === 200)
})

t.test('completed: the manifest, with addresses as the profile has them', async (t) => {
  const api = await startApi(t)
  for (const { prefer, header } of profiles) {
    const id = await kickOff(api, { query: '?_type=Patient', prefer })
    const stored = await complete(api, id, [
      { name: 'Patient.1.ndjson', type: 'Patient', body },
      { name: 'deleted.1.ndjson', type: 'Bundle', body: '{}\n', list: 'deleted' },
      { name: 'error.1.ndjson', type: 'OperationOutcome', body: '{}\n', list: 'error' },
    ])
    const response = await getStatus(api, id)
    t.equal(response.statusCode, 200)
    t.match(response.headers, { 'content-type': /^application\/json/, 'cache-control': 'no-store' })
    t.equal(response.headers['x-export-status'], header && '200 OK')
    t.notOk(response.headers['retry-after'])
    t.notOk(response.headers['x-progress'])
    const expires = new Date(String(response.headers.expires))
    t.equal(expires.toUTCString(), response.headers.expires)
    t.ok(expires > new Date())
    const isCard = prefer === undefined
    const toItem = (name: string, type: string, size: number) => {
      const { cid, sha256 } = stored[name] ?? {}
      const url = `${publicUrl}${filePath(id, name)}`
      const [address, other] = isCard ? [`ipfs://${cid}`, { url }] : [url, { cid }]
      return { type, url: address, count: 1, extension: { ...other, sha256, fileSize: size } }
    }
    t.match(response.json(), {
      transactionTime: '2026-02-22T15:30:00.123Z',
      request: `${isCard ? '' : publicUrl}/fhir/r4/Patient/$export?_type=Patient`,
      requiresAccessToken: true,
      output: [toItem('Patient.1.ndjson', 'Patient', body.length)],
      deleted: [toItem('deleted.1.ndjson', 'Bundle', 3)],
      error: [toItem('error.1.ndjson', 'OperationOutcome', 3)],
    })
    t.equal(response.json().output.length, 1)
    const head = await getStatus(api, id, 'HEAD')
    t.equal(head.statusCode, 200)
    t.equal(head.headers.expires, response.headers.expires)
    t.equal(head.body, '')
  }
})

t.test('with a gateway every item has its address there', async (t) => {
  const api = await startApi(t, { environment: { IPFS_GATEWAY_URL: 'https://ipfs.example.org' } })
  for (const { prefer } of profiles) {
    const id = await kickOff(api, { prefer })
    const stored = await complete(api, id, [
      { name: 'Patient.1.ndjson', type: 'Patient', body },
      { name: 'error.1.ndjson', type: 'OperationOutcome', body: '{}\n', list: 'error' },
    ])
    const { output: [file], error: [errors] } = (await getStatus(api, id)).json()
    t.equal(file.extension.gateway, `https://ipfs.example.org/ipfs/${stored['Patient.1.ndjson']?.cid}`)
    t.equal(errors.extension.gateway, `https://ipfs.example.org/ipfs/${stored['error.1.ndjson']?.cid}`)
  }
})

t.test('an empty export has an empty output', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api)
  await complete(api, id, [])
  t.strictSame((await getStatus(api, id)).json().output, [])
})

t.test('failed: the reason, with 200 without Prefer, 500 with respond-async, or a header that says 500; a DELETE ends it', async (t) => {
  const api = await startApi(t)
  const outcome = {
    resourceType: 'OperationOutcome',
    issue: [{
      severity: 'error',
      code: 'processing',
      details: { coding: [{ code: 'export-failed' }], text: 'Export failed' },
      diagnostics: 'the source lacks a column',
    }],
  }
  for (const { prefer, running, header } of profiles) {
    const id = await kickOff(api, { prefer })
    await failExport(api.db, { id, attempt: await claim(api, id) }, 'the source lacks a column', 60_000)
    const response = await getStatus(api, id)
    const isCard = prefer === undefined
    t.equal(response.statusCode, running === 202 ? 500 : 200)
    t.equal(response.headers['x-export-status'], header && '500 Internal Server Error')
    t.match(response.headers, { 'content-type': isCard ? /^application\/json/ : /^application\/fhir\+json/, 'cache-control': 'no-store' })
    t.notOk(response.headers['retry-after'], 'it will not get better')
    t.match(response.json(), isCard ? { status: 'failed', progress: 0, totalResources: 0, error: outcome } : outcome)
    t.ok(await cancelExport(api.db, id, 60_000))
    const deleted = await getStatus(api, id)
    t.equal(deleted.statusCode, isCard ? 200 : 404)
    t.notOk(deleted.headers['x-export-status'])
  }
})

t.test('cancelled: 200 without Prefer, 404 with respond-async', async (t) => {
  const api = await startApi(t)
  for (const { prefer } of profiles) {
    const id = await kickOff(api, { prefer })
    await cancelExport(api.db, id, 60_000)
    const response = await getStatus(api, id)
    t.equal(response.statusCode, prefer === undefined ? 200 : 404)
    if (prefer === undefined) t.strictSame(response.json(), { status: 'cancelled', progress: 0, totalResources: 0 })
    else t.match(response.json(), { issue: [{ code: 'not-found' }] })
  }
})

t.test('expired: 404 in every profile, before any cleanup', async (t) => {
  const api = await startApi(t)
  for (const { prefer } of profiles) {
    const [completed, failed, cancelled] = [await kickOff(api, { prefer }), await kickOff(api, { prefer }), await kickOff(api, { prefer })]
    await complete(api, completed, [], 0)
    await failExport(api.db, { id: failed, attempt: await claim(api, failed) }, 'why', 0)
    await cancelExport(api.db, cancelled, 0)
    for (const id of [completed, failed, cancelled]) t.equal((await getStatus(api, id)).statusCode, 404)
  }
})

t.test('an id that is unknown or no UUID is 404, whoever asks', async (t) => {
  const { app } = await startApi(t)
  for (const id of [
    '00000000-0000-4000-8000-000000000000', 'nope', '1', '%00', "'; drop", '0'.repeat(300), '..', '{00000000-0000-4000-8000-000000000000}',
  ]) {
    for (const claims of [admin, patient]) {
      const response = await app.inject({ url: statusPath(encodeURIComponent(id)), headers: bearer(claims) })
      t.equal(response.statusCode, 404, id)
      t.match(response.json(), {
        resourceType: 'OperationOutcome', issue: [{ code: 'not-found', details: { coding: [{ code: 'not-found' }] } }],
      })
    }
  }
})

t.test('an unexpected error is 503, so that the client asks again', async (t) => {
  const { app, logLines } = await startApi(t, {
    wrap: ({ db }) => ({
      db: new Proxy(db, {
        get: (target, name) => name === 'selectFrom' ? () => { throw new Error('secret internals') } : Reflect.get(target, name),
      })
    }),
  })
  const response = await app.inject({ url: statusPath('00000000-0000-4000-8000-000000000000'), headers: bearer(admin) })
  t.equal(response.statusCode, 503)
  t.match(response.headers, { 'retry-after': /^\d+$/ })
  t.match(response.json(), { issue: [{ code: 'transient', details: { coding: [{ code: 'unavailable' }] } }] })
  t.notMatch(response.body, /secret internals/)
  t.ok(logLines.some((line) => line.includes('secret internals')))
})
