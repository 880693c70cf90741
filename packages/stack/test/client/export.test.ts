import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { downloadChecked } from '../../src/client/download.ts'
import { awaitManifest, kickOff } from '../../src/client/export.ts'

const options = { token: 'a-token', signal: AbortSignal.timeout(60_000) }

async function serve (t: { teardown: (end: () => void) => void }, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('the kick-off asks as Bulk Data has it, and gives the Content-Location', async t => {
  const base = await serve(t, (request, response) => {
    t.match(request.headers, { authorization: 'Bearer a-token', accept: 'application/fhir+json', prefer: 'respond-async' })
    response.writeHead(202, { 'content-location': 'http://elsewhere.example.org/status/1' }).end()
  })
  t.equal(await kickOff(`${base}/fhir/r4/Patient/$export`, options), 'http://elsewhere.example.org/status/1')
})

t.test('a refused kick-off is shown with its answer', async t => {
  const base = await serve(t, (_, response) => { response.writeHead(403).end('{"resourceType":"OperationOutcome"}') })
  await t.rejects(kickOff(base, options), { message: /answered 403\n.*OperationOutcome/ })
})

t.test('the status is asked for again after Retry-After, never sooner than after a second, until there is a manifest', async t => {
  const askedMs: number[] = []
  const answers = [
    { status: 202, headers: { 'x-progress': '40% 4/10', 'retry-after': '0' }, body: { progress: 40 } },
    { status: 429, headers: { 'retry-after': '2' }, body: {} },
    { status: 200, headers: {}, body: { transactionTime: '2026-01-01T00:00:00Z', output: [] } },
  ]
  const base = await serve(t, (_, response) => {
    const { status, headers, body } = answers[askedMs.length] ?? { status: 500, headers: {}, body: {} }
    askedMs.push(performance.now())
    response.writeHead(status, headers as Record<string, string>).end(JSON.stringify(body))
  })
  const progress: unknown[] = []
  t.match(await awaitManifest(base, update => { progress.push(update) }, options), { output: [] })
  t.strictSame(progress, [{ percent: 40, text: '40% 4/10' }])
  const [first = 0, second = 0, third = 0] = askedMs
  t.ok(second - first >= 950, 'a second after Retry-After: 0')
  t.ok(third - second >= 1_950, 'two seconds after Retry-After: 2')
})

t.test('an export that failed is shown with its outcome', async t => {
  const base = await serve(t, (_, response) => { response.writeHead(500).end('{"diagnostics":"no disk"}') })
  await t.rejects(awaitManifest(base, () => {}, options), { message: /answered 500\n.*no disk/ })
})

t.test('a download is compared with the manifest', async t => {
  const body = '{"id":"1"}\n{"id":"2"}\n'
  const base = await serve(t, (request, response) => {
    t.equal(request.headers.authorization, 'Bearer a-token')
    response.end(body)
  })
  const right = { sha256: createHash('sha256').update(body).digest('hex'), fileSize: body.length }
  const item = { type: 'Patient', url: `${base}/$export-file/1/Patient.1.ndjson`, count: 2, extension: right }
  const folder = t.testdir({})

  const path = await downloadChecked(item, folder, options)
  t.equal(path, `${folder}/Patient.1.ndjson`)
  t.equal(await readFile(path, 'utf8'), body)
  await t.rejects(downloadChecked({ ...item, count: 3 }, folder, options), { message: /manifest says count 3, the file has 2/ })
  await t.rejects(downloadChecked({ ...item, extension: { ...right, fileSize: 1 } }, folder, options), {
    message: /manifest says fileSize 1/,
  })
  await t.rejects(downloadChecked({ ...item, extension: { ...right, sha256: 'ff' } }, folder, options), {
    message: /manifest says sha256 ff/,
  })
})
