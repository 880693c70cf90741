import t from 'tap'
import { publicUrl, startApi } from '../fixtures/api.ts'

interface Operation {
  summary?: string
  security?: object[]
  parameters?: Array<{ name: string, in: string, required?: boolean }>
  requestBody?: { required?: boolean, content: Record<string, object> }
  responses: Record<string, { description: string, content?: object }>
}
type Paths = Record<string, Record<string, Operation>>

t.test('the OpenAPI document needs no token and knows every route that a client may call, and no other', async (t) => {
  const { app } = await startApi(t)
  const response = await app.inject({ url: '/docs/json' })
  t.equal(response.statusCode, 200)
  t.match(response.headers, { 'content-type': /^application\/json/ })
  const document = response.json<{ openapi: string, servers: object[], paths: Paths }>()
  t.match(document, { openapi: '3.1.0', info: { title: 'FHIR bulk export', version: /^\d/ }, servers: [{ url: publicUrl }] })
  const { paths } = document
  for (const [path, methods] of Object.entries({
    '/livez': ['get', 'head'],
    '/readyz': ['get', 'head'],
    '/auth/token': ['post'],
    '/fhir/r4/metadata': ['get', 'head'],
    '/fhir/r4/.well-known/smart-configuration': ['get', 'head'],
    '/fhir/r4/$export-status/{jobId}': ['delete', 'get', 'head'],
    '/fhir/r4/$export-file/{jobId}/{fileName}': ['get', 'head'],
  })) {
    t.strictSame(Object.keys(paths[path] ?? {}).sort(), methods, path)
  }
  t.ok(paths['/fhir/r4/Patient/$export']?.get)
  t.notOk(Object.keys(paths).some((path) => path.startsWith('/docs')))
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { responses, summary }] of Object.entries(operations)) {
      const [type, name] = path === '/auth/token' ? ['application/json', 'TokenError'] : ['application/fhir+json', 'OperationOutcome']
      if (method === 'head') t.notHas(responses['4XX'], { content: {} }, `${method} ${path}`)
      else t.match(responses['4XX']?.content, { [type]: { schema: { $ref: `#/components/schemas/${name}` } } }, `${method} ${path}`)
      t.ok(summary, `${method} ${path} says what it is for`)
    }
  }
})

t.test('it says which routes need a token, and what their parameters are', async (t) => {
  const { app } = await startApi(t)
  const document = await app.inject({ url: '/docs/json' })
  const { security, components, paths } = document.json<{ security: object[], components: object, paths: Paths }>()
  t.strictSame(security, [{ bearer: [] }])
  t.match(components, { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } })
  for (const path of ['/livez', '/readyz', '/fhir/r4/metadata', '/fhir/r4/.well-known/smart-configuration']) {
    t.strictSame(paths[path]?.get?.security, [], path)
  }
  t.notOk(paths['/fhir/r4/$export-file/{jobId}/{fileName}']?.get?.security)
  t.match(paths['/fhir/r4/$export-file/{jobId}/{fileName}']?.get?.parameters, [
    { in: 'path', name: 'jobId', required: true }, { in: 'path', name: 'fileName', required: true },
  ])
  const { get, post } = paths['/fhir/r4/Patient/$export'] ?? {}
  for (const name of ['_type', '_since']) {
    t.ok(get?.parameters?.some((parameter) => parameter.name === name && parameter.in === 'query'), name)
  }
  t.match(post?.requestBody, { required: false, content: { 'application/fhir+json': {}, 'application/json': {} } })
  t.match(paths['/auth/token']?.post, { security: [], requestBody: { content: { 'application/x-www-form-urlencoded': {} } } })
  t.strictSame(paths['/fhir/r4/$export-status']?.get?.parameters?.map(({ name }) => name), ['Accept'])
  t.match(paths['/fhir/r4/Group/_search']?.post?.requestBody, { required: false, content: { 'application/x-www-form-urlencoded': {} } })
})

t.test('the page shows it, without anything from elsewhere', async (t) => {
  const { app } = await startApi(t)
  for (const url of ['/docs', '/docs/']) {
    const page = await app.inject({ url })
    t.equal(page.statusCode, 200)
    t.match(page.headers, { 'content-type': /^text\/html/, 'content-security-policy': /default-src 'none'; script-src 'self';/ })
    const addresses = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address)
    t.ok(addresses.length >= 5)
    for (const address of addresses) {
      const path = new URL(address, `${publicUrl}${url}`).href.replace(publicUrl, '')
      t.match(path, /^\/docs\/static\//, address)
      t.equal((await app.inject({ url: path })).statusCode, 200, path)
    }
    t.notMatch(page.body, /<script>|https?:\/\//, 'no script within the page, no foreign address')
  }
})

t.test('what is not there is 404 and another method 405, as everywhere', async (t) => {
  const { app } = await startApi(t)
  for (const url of [
    '/docs/nothing', '/docs/static/nothing.js', '/docs/static/../../package.json', '/docs/static/%2e%2e/%2e%2e/package.json',
  ]) {
    const response = await app.inject({ url })
    t.ok([403, 404].includes(response.statusCode), `${url}: ${response.statusCode}`)
    t.match(response.json(), { resourceType: 'OperationOutcome' }, url)
  }
  for (const [url, allow] of [['/docs', 'GET'], ['/docs/json', 'GET'], ['/docs/static/index.css', 'HEAD, GET']] as const) {
    const response = await app.inject({ method: 'POST', url, headers: { 'content-type': 'nonsense' }, payload: '{' })
    t.match({ code: response.statusCode, body: response.json() }, { code: 405, body: { resourceType: 'OperationOutcome' } }, url)
    t.strictSame(String(response.headers.allow).split(', ').sort(), allow.split(', ').sort(), url)
  }
})
