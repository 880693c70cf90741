import { eventually } from '@fhir-bulk-export/core/testing/database'
import { times } from '@fhir-bulk-export/stack/sample'
import t, { type Test } from 'tap'
import type { Api, System } from '../src/system.ts'
import { assertAlive } from './fixtures/alive.ts'
import { assertExported, assertNothingLeft } from './fixtures/exports.ts'
import { ask, assertError, kickOff, toExportId, type Answer, type Ask } from './fixtures/http.ts'
import { askRaw, openRaw } from './fixtures/raw-http.ts'
import { openEmbedded, openService } from './fixtures/service.ts'

/** Callers that ask for too much, and peers that do not speak HTTP: each gets its answer, and a 202 among them is a promise. */

const kickOffs = times({ all: 300, some: 40 })

t.jobs = 2

/** A client that comes again after a 503, until it is told yes or no. */
async function askUntilTold (t: Test, api: Api, path: string, options: Ask): Promise<Answer> {
  return await eventually(async () => {
    const answer = await ask(api, path, options)
    if (answer.status === 503) assertError(t, answer, 503, 'not now')
    return answer.status !== 503 && answer
  })
}

function toExportIds (answers: Answer[]): string[] {
  return answers.map(toExportId).filter((id) => id !== undefined).sort()
}

async function readIds ({ db }: System): Promise<string[]> {
  return (await db.selectFrom('bulk_export_jobs').select('id').execute()).map(({ id }) => id).sort()
}

t.test(`${kickOffs} kick-offs of one caller at once: ten are accepted and done, the others are told to wait, and so is nobody else`,
  { buffered: true }, async (t) => {
    const patients = 20
    const { system } = await openEmbedded(t, patients)
    const api = await system.startApi()
    const flood = Array.from({ length: kickOffs }, async () => await askUntilTold(t, api, '/Patient/$export', {}))
    const other = askUntilTold(t, api, '/Patient/$export', { claims: { sub: 'other', role: 'ADMIN' } })

    const answers = await Promise.all(flood)
    const accepted = toExportIds(answers)
    t.equal(new Set(accepted).size, 10)
    const refused = answers.filter(({ status }) => status !== 202)
    t.equal(refused.length, kickOffs - 10)
    for (const answer of refused) assertError(t, answer, 429, 'the eleventh')
    t.same(await readIds(system), toExportIds([...answers, await other]), 'there is an export for each 202, and no other')
    t.equal((await readIds(system)).length, 11)

    const worker = await system.startWorker({ WORKER_CONCURRENCY: '4' }) // not before: what ends makes room
    for (const id of await readIds(system)) await assertExported(t, system, id, patients)
    await assertExported(t, system, await kickOff(api), patients)
    await assertAlive(t, api, worker)
    await assertNothingLeft(t, system)
  })

t.test(`${kickOffs} callers kick off at once: all are accepted, and all exports are done`, { buffered: true }, async (t) => {
  const patients = 5
  const { system } = await openEmbedded(t, patients)
  const [api, worker] = await Promise.all([system.startApi(), system.startWorker({ WORKER_CONCURRENCY: '4' })])
  const answers = await Promise.all(Array.from({ length: kickOffs }, async (_, i) =>
    await askUntilTold(t, api, '/Patient/$export?_type=Patient', { claims: { sub: `${i}`, role: 'ADMIN' } })))
  for (const answer of answers) t.equal(answer.status, 202, answer.text)
  t.equal(new Set(toExportIds(answers)).size, kickOffs)
  t.same(await readIds(system), toExportIds(answers), 'there is an export for each 202, and no other')

  const rows = await eventually(async () => {
    const rows = await system.db.selectFrom('bulk_export_jobs').select([
      'ended_at', 'status', 'exported_resources', 'failure_reason',
    ]).execute()
    return rows.every(({ ended_at: endedAt }) => endedAt !== null) && rows
  })
  for (const row of rows) t.match(row, { status: 'completed', exported_resources: patients, failure_reason: null })
  await assertAlive(t, api, worker)
  await assertNothingLeft(t, system)
})

t.test('what is malformed is refused by the word of HTTP, starts nothing, is not repeated to anybody, and harms nobody', { buffered: true },
  async (t) => {
    const patients = 5
    const { system, api, worker } = await openService(t, patients)
    const { authorization } = api.authorization({ sub: 'a', role: 'ADMIN' })
    const secret = 'Family1'
    const head = (...fields: string[]) => [`Authorization: ${authorization}`, `X-Patient: ${secret}`, ...fields, '', ''].join('\r\n')
    const get = (...fields: string[]) => `GET /fhir/r4/Patient/$export HTTP/1.1\r\nHost: x\r\n${head(...fields)}`
    const post = (...fields: string[]) =>
    `POST /fhir/r4/Patient/$export HTTP/1.1\r\nHost: x\r\n${head('Content-Type: application/fhir+json', ...fields)}`
    const chunked = post('Transfer-Encoding: chunked')
    const parameters = '{"resourceType":"Parameters"}'
    const wholeBody = `Content-Length: ${parameters.length}`
    const smuggled = get() // where the body of the first request ends is what the peers would disagree about
    const toChunk = (data: string) => `${data.length.toString(16)}\r\n${data}\r\n`

    const cases: Array<[what: string, status: number, request: string]> = [
      ['no JSON', 400, post(`Content-Length: ${secret.length}`) + secret],
      ['no UTF-8', 400, post('Content-Length: 3') + '"\xff"'],
      [
        'another media type', 415,
        `POST /fhir/r4/Patient/$export HTTP/1.1\r\nHost: x\r\n${head('Content-Type: text/plain', 'Content-Length: 2')}{}`,
      ],
      ['a body that is too large, and announced', 413, post('Content-Length: 1048577')],
      ['the same, and whoever sends it waits to be told', 413, post('Content-Length: 1048577', 'Expect: 100-continue')],
      ['a body of a length beyond all numbers', 400, post(`Content-Length: 1${'0'.repeat(30)}`)],
      ['a body that turns out to be too large', 413, chunked + toChunk('x'.repeat(2 ** 20)) + '1\r\nx'],
      ['a header that is too large', 431, get(`X-Large: ${'x'.repeat(20_000)}`)],
      ['too many headers', 431, get(...Array.from({ length: 3_000 }, (_, i) => `X-${i}: 1`))],
      ['too large an address', 431, `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n${head()}`],
      ['too large a trailer', 431, `${chunked}0\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`],
      ['garbage', 400, 'GARBAGE\r\n\r\n'],
      ['TLS', 400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
      ['HTTP/2', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['two Hosts', 400, get('Host: y')],
      ['lines that end with LF alone', 400, get().replaceAll('\r\n', '\n')],
      ['a CR within a field', 400, get('X-A: b\rAuthorization: c')],
      ['a NUL within a field', 400, get('X-A: b\0c')],
      ['Content-Length and Transfer-Encoding', 400, `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`],
      ['Transfer-Encoding and Content-Length', 400, `${post('Transfer-Encoding: chunked', wholeBody)}${parameters}${smuggled}`],
      ['Transfer-Encoding with a space after its name', 400, `${post(wholeBody, 'Transfer-Encoding : chunked')}${parameters}${smuggled}`],
      ['a Transfer-Encoding that nobody knows', 400, `${post('Transfer-Encoding: xchunked')}0\r\n\r\n${smuggled}`],
      ['chunked, and not as the last encoding', 400, `${post('Transfer-Encoding: chunked, gzip')}0\r\n\r\n${smuggled}`],
      ['two Content-Lengths', 400, `${post(wholeBody, `Content-Length: ${parameters.length + smuggled.length}`)}${parameters}${smuggled}`],
      ['a Content-Length of two', 400, `${post('Content-Length: 0, 1')}${smuggled}`],
      ['a Content-Length below zero', 400, `${post('Content-Length: -1')}${smuggled}`],
      ['a field that is folded', 400, get('X-A: b', ' c')],
      ['Transfer-Encoding that is folded', 400, `${post('Transfer-Encoding:', ' chunked')}0\r\n\r\n${smuggled}`],
      ['a chunk whose size is none', 400, `${chunked}zz\r\n${parameters}\r\n0\r\n\r\n${smuggled}`],
      ['a chunk whose size is below zero', 400, `${chunked}${toChunk(parameters)}-1\r\n${smuggled}`],
      ['a chunk whose size is beyond all numbers', 400, `${chunked}${'f'.repeat(17)}\r\n${parameters}\r\n0\r\n\r\n${smuggled}`],
      ['a chunk that is longer than it says', 400, `${chunked}2\r\n${parameters}\r\n0\r\n\r\n${smuggled}`],
    ]
    for (const [what, status, request] of cases) {
      const answer = await askRaw(api, request)
      assertError(t, answer, status, what)
      t.equal(answer.headers.connection, 'close', `${what}: and nothing after it is looked at`)
      t.notMatch(answer.text, /Family1|\n\s+at |\.ts|node:|node_modules/, what)
    }
    t.equal((await askRaw(api, get().replace('Host: x\r\n', ''))).status, 400, 'no Host')
    t.equal((await askRaw(api, get('Expect: a-miracle', 'Connection: close'))).status, 417, 'an expectation that nobody knows')
    const halves = [get().slice(0, -2), get().slice(0, 10), post(wholeBody) + parameters.slice(0, -1), chunked + toChunk(parameters)]
    for (const half of halves) assertError(t, await askRaw(api, half, { ends: true }), 400, `${half.length} bytes, and no more will come`)
    const silent = await Promise.all(halves.map(async (half) => await openRaw(api, half)))
    const reset = await Promise.all(halves.map(async (half) => await openRaw(api, half)))
    for (const socket of reset) socket.resetAndDestroy()

    t.same(await readIds(system), [], 'nothing was started')
    t.equal((await askRaw(api, `${post(wholeBody, 'Connection: close')}${parameters}`)).status, 202, 'not for the rest of the request')
    const [id = ''] = await readIds(system)
    await assertExported(t, system, id, patients)
    for (const socket of silent) socket.destroy()
    await assertExported(t, system, await kickOff(api), patients)
    t.equal((await readIds(system)).length, 2)
    const log = api.lines.join('\n')
    t.notMatch(log, /Family1/)
    t.notOk(log.includes(authorization.slice(-20)))
    await assertAlive(t, api, worker)
  })
