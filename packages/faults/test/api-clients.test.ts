import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { ended, eventually, keptKeys } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import type { Api, System } from '../src/system.ts'
import { assertAlive } from './fixtures/alive.ts'
import { assertExported, assertNothingLeft } from './fixtures/exports.ts'
import { ask, assertError, isReady, kickOff, open, respondAsync, toJson } from './fixtures/http.ts'
import { openRaw } from './fixtures/raw-http.ts'
import { openEmbedded, openService } from './fixtures/service.ts'

/** Clients that are slow, vanish, or come back with another token: they harm nobody else, and leave nothing behind. */

const documents = 64
/** So that a file is 32 MiB, which is more than the sockets on its way hold. */
const documentBytes = 512 * 1024

t.jobs = 2

async function openLarge (t: Test) {
  const { system } = await openEmbedded(t, documents)
  const data = 'aGVs'.repeat(documentBytes / 4)
  await sql`UPDATE source.medical_records SET content = jsonb_build_array(jsonb_build_object('attachment',
    jsonb_build_object('data', ${data}::text)))`.execute(system.db)
  const [api, worker] = await Promise.all([system.startApi(), system.startWorker()])
  const id = await kickOff(api)
  t.match(await ended(system, id), { status: 'completed' })
  return { system, api, worker, id, path: `/$export-file/${id}/DocumentReference.1.ndjson` }
}

/** Takes the first bytes of a file, and no more. */
async function beginToRead (api: Api, path: string): Promise<IncomingMessage> {
  const response = await open(api, path)
  response.on('error', () => {})
  response.pause()
  if (response.statusCode !== 200) throw new Error(`the download was answered with ${response.statusCode}`)
  await once(response, 'readable')
  return response
}

async function assertWhole (t: Test, api: Api, path: string): Promise<void> {
  const { status, text: file } = await ask(api, path)
  t.equal(status, 200)
  const lines = file.split('\n')
  t.equal(lines.pop(), '', 'the last line is ended, too')
  t.equal(new Set(lines.map((line) => (JSON.parse(line) as { id: string }).id)).size, documents)
  t.equal(lines.length, documents)
}

async function countLeases ({ db }: System): Promise<number> {
  return (await db.selectFrom('bulk_export_downloads').select('id').execute()).length
}

t.test('hundreds of connections say next to nothing, and readers of a file stand still: everybody else is served', { buffered: true },
  async (t) => {
    const { system, api, worker, path } = await openLarge(t)
    const toHead = (sub: string) => 'POST /fhir/r4/Patient/$export HTTP/1.1\r\nHost: x\r\n' +
    `Authorization: ${api.authorization({ sub, role: 'ADMIN' }).authorization}\r\n` +
    'Content-Type: application/json\r\nContent-Length: 1000\r\n'
    const silent = await Promise.all([
      ...Array.from({ length: 100 }, async () => await openRaw(api, '')),
      ...Array.from({ length: 200 }, async () => await openRaw(api, 'G')),
      ...Array.from({ length: 100 }, async () => await openRaw(api, toHead('silent'))), // in the middle of the headers
      ...Array.from({ length: 100 }, async (_, i) => await openRaw(api, `${toHead(`silent ${i}`)}\r\n{`)), // in the middle of the body
    ])
    const ends = silent.map(async (socket) => await text(socket))
    const readers = await Promise.all(Array.from({ length: 50 }, async () => await beginToRead(api, path)))
    t.equal(await countLeases(system), readers.length, 'each of them is at it')

    // On a crowded machine its probes may be late.
    t.ok(await eventually(async () => await isReady(api)))
    const id = await kickOff(api)
    await assertExported(t, system, id, documents)
    t.match(toJson((await ask(api, `/$export-status/${id}`)).text), { output: [{ type: 'Patient' }, {}, {}, {}] })
    await assertWhole(t, api, path)
    await eventually(async () => await countLeases(system) === readers.length) // they still are
    for (const end of await Promise.all(ends)) t.match(end, /^(HTTP\/1\.1 408 |$)/, 'nobody is waited for for ever')

    for (const reader of readers) reader.destroy()
    await eventually(async () => await countLeases(system) === 0)
    await assertAlive(t, api, worker)
  })

t.test('thousands of requests without an end: few bodies, few connections, and everybody else is served', { buffered: true }, async (t) => {
  const { system, api, worker } = await openService(t, 2)
  const { authorization } = api.authorization({ sub: 'endless', role: 'ADMIN' })
  const body = ['POST /fhir/r4/Patient/$export HTTP/1.1', 'Host: x', `Authorization: ${authorization}`, 'Content-Type: application/json',
    'Content-Length: 1000000', '', '{'].join('\r\n')
  const bodies = await Promise.all(Array.from({ length: 40 }, async () => await openRaw(api, body)))
  const refused = bodies.map(async (socket) => {
    const [head] = await once(socket, 'data') as [Buffer]
    return /^HTTP\/1\.1 (\d+)/.exec(head.toString())?.[1]
  })
  const first = await Promise.all(refused.slice(10)) // the server may have read them in another order: of all, ten are waited for
  t.ok(first.filter((status) => status === '429').length >= 20, first.join())
  for (const socket of bodies) socket.destroy()

  const silent = await Promise.all(Array.from({ length: 2_000 }, async () => await openRaw(api,
    'POST /fhir/r4/Patient/$export HTTP/1.1\r\n')))
  for (const socket of silent) socket.resume()
  await eventually(async () => silent.filter((socket) => socket.destroyed || socket.readableEnded).length >= 1_100)
  const id = await kickOff(api)
  await assertExported(t, system, id, 2)
  t.equal((await ask(api, `/$export-status/${id}`)).status, 200)
  for (const socket of silent) socket.destroy()
  await assertAlive(t, api, worker)
})

t.test('clients vanish before, with and after the first bytes of a download: nothing keeps its files, and the next one gets all of it',
  { buffered: true }, async (t) => {
    const { system, api, worker, id, path } = await openLarge(t)
    const headers = api.authorization({ sub: 'a', role: 'ADMIN' })
    for (const leaveAt of ['finish', 'response'] as const) {
      await Promise.all(Array.from({ length: 50 }, async () => {
        const request = httpRequest(api.url + path, { agent: false, headers }).on('error', () => {})
        request.end()
        await once(request, leaveAt)
        request.destroy()
      }))
    }
    const readers = await Promise.all(Array.from({ length: 50 }, async () => await beginToRead(api, path)))
    await eventually(async () => await countLeases(system) === readers.length) // those who left before have none
    for (const [i, { socket }] of readers.entries()) i % 2 === 0 ? socket.destroy() : socket.resetAndDestroy()
    await eventually(async () => await countLeases(system) === 0)

    await t.test('a client sends garbage while it is sent a file: no answer to that gets into the file', async (t) => {
      const request = `GET ${new URL(api.url + path).pathname} HTTP/1.1\r\nHost: x\r\nAuthorization: ${headers.authorization}\r\n\r\n`
      for (const garbage of ['GARBAGE\r\n\r\n', `GET / HTTP/1.1\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`, `${request}GARBAGE\r\n\r\n`]) {
        const socket = await openRaw(api, request)
        await once(socket, 'readable')
        socket.write(garbage)
        const received = await text(socket).catch(() => '')
        t.notMatch(received.slice(1), /HTTP\/1\.1 |OperationOutcome/)
      }
    })

    await assertWhole(t, api, path)
    await eventually(async () => await countLeases(system) === 0)
    t.ok((await keptKeys(system.store)).length > 0)
    t.equal((await ask(api, `/$export-status/${id}`, { method: 'DELETE' })).status, 204)
    await eventually(async () => (await keptKeys(system.store)).length === 0)
    assertError(t, await ask(api, path), 404, 'the file')
    t.equal(await countLeases(system), 0)
    await assertAlive(t, api, worker)
    await assertNothingLeft(t, system)
  })

t.test('a token expires while its export runs: it is refused, and a new one of the same caller goes on where it was', { buffered: true },
  async (t) => {
    const { system } = await openEmbedded(t, 2)
    const api = await system.startApi()
    const claims = { sub: 'app', role: 'PATIENT', patient_id: 'p1' }
    const id = await kickOff(api, { claims, headers: respondAsync })
    const path = `/$export-status/${id}`
    const expiring = await eventually(async () => {
      const short = { headers: { ...api.authorization(claims, 5 - 60), ...respondAsync } } // clocks may differ by a minute
      return (await ask(api, path, short)).status === 202 && short // it may expire on its way
    })
    const before: number[] = []
    const refused = await eventually(async () => {
      const answer = await ask(api, path, expiring)
      if (answer.status !== 401) before.push(answer.status)
      return answer.status === 401 && answer
    })
    assertError(t, refused, 401, 'the token that has expired')
    t.equal(refused.headers['www-authenticate'], 'Bearer error="invalid_token"')
    t.same(before.filter((status) => status !== 202 && status !== 429), [])
    for (const [method, expired] of [
      ['DELETE', path], ['GET', '/$export-status'], ['GET', `/$export-file/${id}/Patient.1.ndjson`], ['GET', '/Patient/$export'],
    ] as const) {
      assertError(t, await ask(api, expired, { ...expiring, method }), 401, `${method} ${expired}`)
    }

    const worker = await system.startWorker()
    const manifest = await eventually(async () => {
      const answer = await ask(api, path, { claims })
      if (answer.status !== 202 && answer.status !== 200) assertError(t, answer, 429, 'a poll')
      return answer.status === 200 && answer
    })
    t.match(toJson(manifest.text), {
      output: [
        { type: 'Patient', count: 1 }, { type: 'Consent', count: 1 }, { type: 'DocumentReference', count: 1 },
        { type: 'Provenance', count: 1 },
      ],
    })
    t.match(toJson((await ask(api, `/$export-file/${id}/Patient.1.ndjson`, { claims })).text), { resourceType: 'Patient', id: 'p1' })
    t.equal((await system.db.selectFrom('bulk_export_jobs').select('id').execute()).length, 1, 'and nothing was started anew')
    for (const others of [path, `/$export-file/${id}/Patient.1.ndjson`]) {
      const { status, text: refusal } = await ask(api, others, { claims: { ...claims, sub: 'other', patient_id: 'p2' } })
      t.equal(status, 403)
      t.match(toJson(refusal), { resourceType: 'OperationOutcome', issue: [{ code: 'forbidden' }] })
    }
    await assertAlive(t, api, worker)

    await t.test('an API that is told to stop does not wait for who has asked nothing', async (t) => {
      const begun = ['', 'G', 'GET / HTTP/1.1\r\nHost: x\r\n']
      const silent = await Promise.all(begun.map(async (request) => await openRaw(api, request)))
      const asked = await openRaw(api, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
      await once(asked, 'readable')
      const closed = [...silent, asked].map(async (socket) => { await once(socket.resume(), 'close') })
      t.equal(await api.end('SIGTERM'), 0)
      await Promise.all(closed)
    })
  })
