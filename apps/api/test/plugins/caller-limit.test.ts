import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { CallerRequests } from '../../src/limits/caller-requests.ts'
import { startApi, type Api } from '../fixtures/api.ts'
import { admin, filePath, kickOff, statusPath } from '../fixtures/exports.ts'
import { post } from '../fixtures/kick-off.ts'
import { bearer } from '../fixtures/token.ts'

const status = async ({ app }: Api, url: string, claims: object = admin) => (await app.inject({ url, headers: bearer(claims) })).statusCode

t.test('whatever a caller asks for counts, at all processes together, and no other caller is held back', async (t) => {
  const one = await startApi(t, { environment: { MAX_REQUESTS_PER_MINUTE: '100' } })
  const other = await startApi(t, { environment: { MAX_REQUESTS_PER_MINUTE: '100' }, wrap: () => ({ db: one.db }) })
  const paths = () => [
    statusPath(randomUUID()), filePath(randomUUID(), 'Patient.1.ndjson'), '/fhir/r4/Group/unknown',
    '/fhir/r4/Patient/$export?_type=unknown',
  ]
  const begun = performance.now()
  const statuses = (await Promise.all(Array.from(
    { length: 100 }, async (_, i) => await Promise.all(paths().map(async (path) => await status(i % 2 === 0 ? one : other, path)))
  ))).flat()
  const answered = statuses.filter((code) => code === 404 || code === 400).length
  t.equal(answered + statuses.filter((code) => code === 429).length, 400)
  // 100 at once, a twentieth for each process, what came back meanwhile, and the rest of a slice.
  const allowed = 110 * (1 + (performance.now() - begun) / 60_000) + 10
  t.ok(answered >= 100 && answered <= allowed, `${answered} were answered, of ${allowed}`)

  const again = async () => await one.app.inject({ url: statusPath(randomUUID()), headers: bearer(admin) })
  let refused = await again()
  while (refused.statusCode === 404) refused = await again() // what came back meanwhile
  t.equal(refused.statusCode, 429)
  t.match(refused.headers, { 'retry-after': /^[1-9]\d*$/, 'content-type': /^application\/fhir\+json/ })
  t.match(refused.json(), { issue: [{ code: 'throttled', details: { coding: [{ code: 'too-many-requests' }] } }] })
  t.equal(await status(one, statusPath(randomUUID()), { ...admin, sub: 'another' }), 404)
  t.equal(await status(one, '/livez'), 200)
})

t.test('a caller that asks little costs the shared count nothing, and one that asks much a statement a slice', async (t) => {
  let statements = 0
  const requests = new CallerRequests(async () => {
    statements++
    return true
  })
  for (let i = 0; i < 30; i++) t.equal(await requests.take('quiet', 600), 0)
  t.equal(statements, 0)
  await Promise.all(Array.from({ length: 600 }, async () => await requests.take('loud', 600)))
  t.ok(statements <= 20, `${statements} statements for 600 requests`)
})

t.test('a caller that has used up its requests is refused without a statement, until a slice may be there', async (t) => {
  let statements = 0
  const requests = new CallerRequests(async () => {
    statements++
    return false
  })
  const waits = await Promise.all(Array.from({ length: 1_000 }, async () => await requests.take('loud', 600)))
  t.ok(waits.filter((wait) => wait === 0).length <= 31)
  t.ok(waits.every((wait) => wait <= 3_000))
  t.equal(statements, 1)
})

t.test('a kick-off beyond a limit is refused before its body is read and the source is asked, and a DELETE makes no room', async (t) => {
  const api = await startApi(t, { environment: { MAX_KICK_OFFS_PER_MINUTE: '3' } })
  const other = await startApi(t, { environment: { MAX_KICK_OFFS_PER_MINUTE: '3' }, wrap: () => ({ db: api.db, queue: api.queue }) })
  for (const at of [api, other, api]) {
    const id = await kickOff(at)
    t.equal((await api.app.inject({ method: 'DELETE', url: statusPath(id), headers: bearer(admin) })).statusCode, 204)
  }
  for (const at of [api, other]) {
    const refused = await post(at, { payload: 'this is no JSON' })
    t.equal(refused.statusCode, 429)
    t.ok(Number(refused.headers['retry-after']) >= 1 && Number(refused.headers['retry-after']) <= 60)
    t.match(refused.json(), {
      issue: [{ code: 'throttled', diagnostics: '3 exports were started within a minute: wait as Retry-After says' }],
    })
  }
  t.equal((await sql`SELECT id FROM bulk_export_jobs`.execute(api.db)).rows.length, 3)
  await kickOff(api, { claims: { ...admin, sub: 'another' } })
})
