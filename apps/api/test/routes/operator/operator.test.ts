import { readdirSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { type Api, startApi } from '../../fixtures/api.ts'
import { createBackendClient, createClientKey } from '../../fixtures/backend-client.ts'
import { get, listen, register } from '../../fixtures/client-service.ts'
import { admin, claim, complete, kickOff, patient } from '../../fixtures/exports.ts'
import { bearer } from '../../fixtures/token.ts'
import { givenManyExports } from './fixtures/many-exports.ts'

interface Page { exports: Array<Record<string, unknown> & { id: string }>, next: string | null }

async function ask ({ app }: Api, path: string, claims: object = admin) {
  return await app.inject({ url: `/operator/${path}`, headers: bearer(claims) })
}

t.test('all exports and a summary, as the document says they are', async (t) => {
  const api = await startApi(t)
  const running = await kickOff(api)
  await claim(api, running)
  const completed = await kickOff(api, { claims: patient })
  await complete(api, completed, [{ name: 'Patient.1.ndjson', type: 'Patient', body: '{}\n' }])
  const waiting = await kickOff(api, { claims: { ...admin, client_id: 'laboratory' } })

  const { components } = (await api.app.inject({ url: '/docs/json' })).json<{ components: object }>()
  const ajv = new Ajv2020({ validateFormats: false, strict: false })
  const page = await ask(api, 'exports')
  const isPage = ajv.compile({ components, $ref: '#/components/schemas/OperatorExports' })
  t.ok(isPage(page.json()), JSON.stringify(isPage.errors))
  t.match(page.json<Page>().exports, [
    { id: waiting, status: 'pending', isRunning: false, client: 'laboratory', user: 'admin-1', bytes: 0 },
    { id: completed, status: 'completed', role: 'PATIENT', client: null, user: null, files: 1, bytes: 3 },
    { id: running, status: 'in_progress', isRunning: true, client: null, user: 'admin-1' },
  ])
  t.match(page.headers, { 'cache-control': 'no-store' })

  const summary = await ask(api, 'summary')
  const isSummary = ajv.compile({ components, $ref: '#/components/schemas/OperatorSummary' })
  t.ok(isSummary(summary.json()), JSON.stringify(isSummary.errors))
  const counts = { pending: 1, in_progress: 1, completed: 1, failed: 0 }
  t.match(summary.json(), { exports: counts, waiting: { count: 1 }, workers: [], kept: { files: 1, bytes: 3 } })
  const { hours } = summary.json<{ hours: Array<{ requested: number, completed: number }> }>()
  t.equal(hours.length, 24)
  const last = hours.slice(-2) // an hour may have begun meanwhile
  t.equal(last.reduce((sum, { requested }) => sum + requested, 0), 3)
  t.equal(last.reduce((sum, { completed }) => sum + completed, 0), 1)
})

t.test('10,000 exports come page by page, each once, the newest first', async (t) => {
  const api = await startApi(t, { environment: { MAX_REQUESTS_PER_MINUTE: '60000' } })
  await givenManyExports(api.db, 10_000)
  const ids = new Set<string>()
  let after: string | null = null
  let pages = 0
  do {
    const page: Page = (await ask(api, `exports?limit=100${after === null ? '' : `&after=${after}`}`)).json()
    for (const { id } of page.exports) ids.add(id)
    after = page.next
    pages++
  } while (after !== null)
  t.strictSame([ids.size, pages], [10_000, 100])
  t.equal((await ask(api, 'exports?limit=999')).json<Page>().exports.length, 100)
  const failed = (await ask(api, 'exports?status=failed')).json<Page>()
  t.equal(failed.exports.length, 50)
  t.ok(failed.exports.every(({ status }) => status === 'failed'))
})

t.test('for an ADMIN alone, whose token is limited neither to types nor to groups; who is refused is written down', async (t) => {
  const api = await listen(t)
  const origin = new URL(api.base).origin
  const open = createBackendClient('open', await createClientKey('ES384', 'a'))
  const held = createBackendClient('held', await createClientKey('ES384', 'b'))
  await register(api, open)
  await register(api, held, { groups: ['g'] })
  const { access_token: ofOpen } = await open.getToken(api.tokenUrl, 'system/*.rs')
  const { access_token: ofHeld } = await held.getToken(api.tokenUrl, 'system/*.rs')
  for (const path of ['exports', 'summary']) {
    t.equal((await get(`${origin}/operator/${path}`, ofOpen)).status, 200)
    t.equal((await get(`${origin}/operator/${path}`, ofHeld)).status, 403, 'held to groups')
    t.equal((await ask(api, path, patient)).statusCode, 403)
    t.equal((await ask(api, path, { ...admin, scope: 'system/Patient.rs' })).statusCode, 403)
    t.equal((await ask(api, path, { ...admin, role: 'NURSE' })).statusCode, 403)
    t.equal((await api.app.inject({ url: `/operator/${path}` })).statusCode, 401)
    t.equal((await api.app.inject({ method: 'POST', url: `/operator/${path}`, headers: bearer(admin) })).statusCode, 405)
  }
  await api.app.close()
  const refused = await api.db.selectFrom('bulk_export_audit').select(['client_id', 'status', 'count']).where('event', '=', 'refused')
    .execute()
  t.match(refused.find(({ client_id: client }) => client === 'held'), { status: 403, count: 2 })
})

t.test('its requests count as any other\'s', async (t) => {
  const api = await startApi(t, { environment: { MAX_REQUESTS_PER_MINUTE: '20' } })
  let response = await ask(api, 'summary')
  while (response.statusCode === 200) response = await ask(api, 'summary')
  t.equal(response.statusCode, 429)
  t.ok(Number(response.headers['retry-after']) > 0)
})

t.test('what is malformed is refused', async (t) => {
  const api = await startApi(t)
  const id = '00000000-0000-4000-8000-000000000000'
  for (const query of [
    'status=done', 'limit=0', 'limit=ten', 'limit=1000', 'after=', 'after=x', `after=2026-99-01T00:00:00.000000Z_${id}`,
    `after=2026-01-01T00:00:00.000000Z_${id}x`, 'status=failed&status=failed', 'patient=p1',
  ]) {
    const response = await ask(api, `exports?${query}`)
    t.match({ query, code: response.statusCode, body: response.json() }, { query, code: 400, body: { resourceType: 'OperationOutcome' } })
  }
})

t.test('the page is plain files with strict headers, and nothing within it runs', async (t) => {
  const { app } = await startApi(t)
  const page = await app.inject({ url: '/operator' })
  t.equal(page.statusCode, 200)
  const names = readdirSync(new URL('../../../src/routes/operator/page', import.meta.url)).filter((name) => name !== 'index.html')
  for (const url of ['/operator', ...names.map((name) => `/operator/page/${name}`)]) {
    const { statusCode, headers } = await app.inject({ url })
    t.equal(statusCode, 200, url)
    t.match(headers, {
      'content-security-policy': /^default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'/,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
    })
    t.notMatch(headers['content-security-policy'], 'unsafe')
  }
  t.notMatch(page.body, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:\/\//)
  for (const [, address = ''] of page.body.matchAll(/(?:src|href)="([^"#]+)"/g)) {
    t.equal((await app.inject({ url: `/${address}` })).statusCode, 200, address)
  }
  for (const name of ['nothing.js', '..%2fpage.ts', '%2e%2e%2foperator.ts', 'index', '__proto__']) {
    t.match((await app.inject({ url: `/operator/page/${name}` })).statusCode, 404, name)
  }
  t.match(await app.inject({ method: 'HEAD', url: '/operator' }), { statusCode: 200, body: '' })
})
