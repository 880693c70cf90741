import t from 'tap'
import { startApi } from '../fixtures/api.ts'
import { admin, complete, filePath, kickOff, statusPath } from '../fixtures/exports.ts'
import { bearer } from '../fixtures/token.ts'

const origin = 'https://app.example.org'
const environment = { CORS_ORIGINS: `${origin}, http://localhost:5173` }
const kickOffPath = '/fhir/r4/Patient/$export'

t.test('by default a browser is told nothing, and OPTIONS is no method', async (t) => {
  const { app } = await startApi(t)
  const response = await app.inject({ url: kickOffPath, headers: { ...bearer(admin), origin } })
  t.notOk('access-control-allow-origin' in response.headers)
  t.equal(
    (await app.inject({ method: 'OPTIONS', url: kickOffPath, headers: { origin, 'access-control-request-method': 'GET' } })).statusCode, 405
  )
})

t.test('a preflight of an origin that is allowed is answered without a token, and names what may be sent', async (t) => {
  const { app } = await startApi(t, { environment })
  for (const url of [kickOffPath, statusPath('x'), '/fhir/r4/metadata']) {
    const { statusCode, headers } = await app.inject({
      method: 'OPTIONS',
      url,
      headers: { origin, 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'authorization, prefer' },
    })
    t.equal(statusCode, 204, url)
    t.match(headers, {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': /DELETE/,
      'access-control-allow-headers': /Authorization.*Prefer/,
      vary: /Origin/,
    })
    t.notOk('access-control-allow-credentials' in headers)
  }
})

t.test('a page of that origin reads answers and errors with the headers it needs, and no other page does', async (t) => {
  const api = await startApi(t, { environment })
  const id = await kickOff(api)
  await complete(api, id, [{ name: 'Patient.1.ndjson', type: 'Patient', body: '{}\n' }])
  for (const [url, token] of [
    [statusPath(id), true], [filePath(id, 'Patient.1.ndjson'), true], [statusPath(id), false], ['/fhir/r4/metadata', false],
  ] as const) {
    const ask = async (from: string) => (await api.app.inject({ url, headers: { ...(token ? bearer(admin) : {}), origin: from } })).headers
    const headers = await ask(origin)
    t.match(
      headers,
      { 'access-control-allow-origin': origin, 'access-control-expose-headers': /Content-Location.*ETag.*X-Progress/, vary: /Origin/ }, url
    )
    t.equal((await ask('http://localhost:5173'))['access-control-allow-origin'], 'http://localhost:5173')
    t.notOk('access-control-allow-origin' in await ask('https://other.example.org'))
  }
  t.match((await api.app.inject({ url: filePath(id, 'Patient.1.ndjson'), headers: bearer(admin) })).headers.vary, /Origin.*Accept-Encoding/)
})

t.test('what is no address is 404, and a method that is none 405', async (t) => {
  const { app } = await startApi(t, { environment })
  t.equal((await app.inject({ url: '/nowhere', headers: { origin } })).statusCode, 404)
  t.equal((await app.inject({ method: 'PUT', url: kickOffPath, headers: { origin } })).statusCode, 405)
})
