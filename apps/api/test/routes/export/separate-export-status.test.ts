import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cancelExport, failExport, renewLease } from '@fhir-bulk-export/core/exports'
import t from 'tap'
import { publicUrl, startApi, type Api } from '../../fixtures/api.ts'
import { admin, claim, complete, filePath, kickOff, statusPath } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'

const prefer = 'respond-async, separate-export-status'
const retryAfter = /^([1-9]|[1-5][0-9]|60)$/

async function getStatus ({ app }: Api, id: string, method: 'GET' | 'HEAD' = 'GET') {
  return await app.inject({ method, url: statusPath(id), headers: bearer(admin) })
}

t.test('the kick-off says which preferences it applied', async (t) => {
  const { app } = await startApi(t)
  for (const [asked, applied] of [
    [prefer, prefer], ['separate-export-status, respond-async;x, handling=lenient', prefer], ['respond-async', undefined], ['', undefined],
  ] as const) {
    const { headers } = await app.inject({ url: '/fhir/r4/Patient/$export', headers: { ...bearer(admin), prefer: asked } })
    t.equal(headers['preference-applied'], applied, asked)
  }
})

t.test('a preference in a header of its own counts', async (t) => {
  const { app } = await startApi(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const request = get({
    port,
    host: '127.0.0.1',
    path: '/fhir/r4/Patient/$export?foo=1',
    headers: { ...bearer(admin), prefer: ['separate-export-status', 'handling=lenient', 'respond-async'] },
  })
  const [response] = await once(request, 'response') as [IncomingMessage]
  response.resume()
  t.equal(response.statusCode, 202)
  t.equal(response.headers['preference-applied'], prefer)
})

t.test('while it waits and runs: 200, and a header that says 202', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api, { prefer, query: '?_type=DocumentReference' })
  for (const method of ['GET', 'HEAD'] as const) {
    const waiting = await getStatus(api, id, method)
    t.equal(waiting.statusCode, 200)
    t.match(waiting.headers, { 'x-export-status': '202 Accepted', 'x-progress': 'pending', 'retry-after': retryAfter })
  }
  await renewLease(api.db, { id, attempt: await claim(api, id) }, 60_000, { progress: 45, total_resources: 1000, exported_resources: 450 })
  const running = await getStatus(api, id)
  t.equal(running.statusCode, 200)
  t.match(running.headers, {
    'content-type': /^application\/json/,
    'x-export-status': '202 Accepted',
    'x-progress': '45% 450/1000 DocumentReference',
    'retry-after': retryAfter,
  })
  t.strictSame(running.json(), { status: 'in_progress', progress: 45, totalResources: 1000 })
})

t.test('completed: the manifest, with absolute addresses', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api, { prefer, query: '?_type=Patient' })
  await complete(api, id, [{ name: 'Patient.1.ndjson', type: 'Patient', body: '{}\n' }, {
    name: 'deleted.1.ndjson', type: 'Bundle', body: '{}\n', list: 'deleted',
  }])
  const response = await getStatus(api, id)
  t.equal(response.statusCode, 200)
  t.match(response.headers, { 'x-export-status': '200 OK', expires: /GMT$/, 'content-type': /^application\/json/ })
  t.notOk(response.headers['retry-after'])
  t.match(response.json(), {
    request: `${publicUrl}/fhir/r4/Patient/$export?_type=Patient`,
    output: [{ type: 'Patient', url: `${publicUrl}${filePath(id, 'Patient.1.ndjson')}`, count: 1 }],
    deleted: [{ type: 'Bundle', url: `${publicUrl}${filePath(id, 'deleted.1.ndjson')}`, count: 1 }],
    error: [],
  })
})

t.test('failed: 200, a header that says 500, and an OperationOutcome; after a DELETE 404', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api, { prefer })
  await failExport(api.db, { id, attempt: await claim(api, id) }, 'the source lacks a column', 60_000)
  const response = await getStatus(api, id)
  t.equal(response.statusCode, 200)
  t.match(response.headers, {
    'x-export-status': '500 Internal Server Error', 'content-type': /^application\/fhir\+json/, 'cache-control': 'no-store',
  })
  t.notOk(response.headers['retry-after'])
  t.match(response.json(), { resourceType: 'OperationOutcome', issue: [{ code: 'processing', diagnostics: 'the source lacks a column' }] })
  await cancelExport(api.db, id, 60_000)
  const gone = await getStatus(api, id)
  t.equal(gone.statusCode, 404)
  t.notOk(gone.headers['x-export-status'])
})

t.test('cancelled and expired: 404', async (t) => {
  const api = await startApi(t)
  const cancelled = await kickOff(api, { prefer })
  await cancelExport(api.db, cancelled, 60_000)
  t.equal((await getStatus(api, cancelled)).statusCode, 404)
  const expired = await kickOff(api, { prefer })
  await complete(api, expired, [], 0)
  t.equal((await getStatus(api, expired)).statusCode, 404)
})
