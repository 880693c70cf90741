import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { publicUrl, startApi, unreachableDatabase } from '../fixtures/api.ts'
import { admin, filePath, statusPath } from '../fixtures/exports.ts'
import { bearer } from '../fixtures/token.ts'

const id = '00000000-0000-4000-8000-000000000000'
const kickOffPath = '/fhir/r4/Patient/$export'
const headers = bearer(admin)

function outcome (code: string, coding: string) {
  return {
    resourceType: 'OperationOutcome',
    issue: [{
      severity: 'error',
      code,
      details: { coding: [{ system: `${publicUrl}/fhir/r4/CodeSystem/error-code`, code: coding }], text: /^[A-Z][a-z A-Z]+$/ },
      diagnostics: /./,
    }],
  }
}

t.test('an unknown address is 404 with any method and body, token or not', async (t) => {
  const { app } = await startApi(t)
  for (const url of [
    '/', '/fhir/r4', '/fhir/r4/', '/fhir/r4/Patient', '/fhir/r4/patient/$export', '/fhir/r4/Patient/$export/', '/fhir/r4/$export-file/x',
    '/fhir/R4/Patient/$export', '/%24export', '/fhir//r4/Patient/$export',
  ]) {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS'] as const) {
      const response = await app.inject({
        method, url, headers: { 'content-type': 'application/json' }, ...(method === 'POST' ? { payload: '{"broken":' } : {}),
      })
      t.equal(response.statusCode, 404, `${method} ${url}`)
      t.match(response.headers, { 'content-type': /^application\/fhir\+json/, 'cache-control': 'no-store' })
      t.match(response.json(), outcome('not-found', 'not-found'))
    }
  }
})

t.test('every other method on a known address is 405 and says which there are', async (t) => {
  const { app, db } = await startApi(t)
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH'] as const
  for (const [url, allowed] of [
    [kickOffPath, ['GET', 'POST']],
    ['/fhir/r4/Patient/%24export', ['GET', 'POST']],
    ['/fhir/r4/$export', ['GET', 'POST']],
    ['/fhir/r4/Group/g-1/$export', ['GET', 'POST']],
    ['/fhir/r4/Group', ['GET', 'HEAD']],
    ['/fhir/r4/Group/_search', ['POST']],
    ['/fhir/r4/Group/g-1', ['GET', 'HEAD']],
    ['/fhir/r4/CodeSystem/error-code', ['GET', 'HEAD']],
    ['/fhir/r4/$export-status', ['GET', 'HEAD']],
    [statusPath(id), ['GET', 'HEAD', 'DELETE']],
    [filePath(id, 'Patient.1.ndjson'), ['GET', 'HEAD']],
    ['/livez', ['GET', 'HEAD']],
    ['/readyz', ['GET', 'HEAD']],
    ['/fhir/r4/metadata', ['GET', 'HEAD']],
    ['/fhir/r4/.well-known/smart-configuration', ['GET', 'HEAD']],
    ['/docs', ['GET']],
  ] as const) {
    for (const method of methods.filter((method) => !allowed.some((name) => name === method))) {
      const response = await app.inject({
        method: method as 'POST', url, headers: { ...headers, 'content-type': 'nonsense' }, payload: method === 'HEAD' ? '' : '{',
      })
      t.equal(response.statusCode, 405, `${method} ${url}`)
      t.equal(response.headers.allow, allowed.join(', '))
      if (method === 'HEAD') t.equal(response.body, '')
      else t.match(response.json(), outcome('not-supported', 'method-not-allowed'))
    }
  }
  t.strictSame(await db.selectFrom('bulk_export_jobs').select('id').execute(), [], 'a HEAD starts nothing')
})

t.test('a malformed encoding in the address is 400', async (t) => {
  const { app } = await startApi(t)
  for (const url of ['/fhir/r4/$export-status/%zz', '/fhir/r4/$export-file/%C0/x', '/%']) {
    const response = await app.inject({ url, headers })
    t.equal(response.statusCode, 400, url)
    t.match(response.json(), outcome('invalid', 'bad-request'))
  }
})

t.test('without a database: 503 and Retry-After', async (t) => {
  const { app } = await startApi(t, { wrap: () => ({ db: unreachableDatabase(t) }) })
  for (const [method, url] of [
    ['GET', kickOffPath], ['GET', statusPath(id)], ['DELETE', statusPath(id)], ['GET', filePath(id, 'Patient.1.ndjson')],
  ] as const) {
    const response = await app.inject({ method, url, headers })
    t.equal(response.statusCode, 503, url)
    t.match(response.headers, { 'retry-after': /^\d+$/, 'cache-control': 'no-store' })
    t.match(response.json(), outcome('transient', 'unavailable'))
    t.notMatch(response.body, /127\.0\.0\.1|ECONNREFUSED|nobody/)
  }
})

t.test('an error that nobody foresaw is 500 at kick-off: a request id, and no internals', async (t) => {
  const { app, logLines } = await startApi(t, {
    wrap: ({ db }) => ({
      db: new Proxy(db, {
        get (target, name) {
          if (name === 'transaction') throw new Error('secret internals')
          const value = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
    }),
  })
  const response = await app.inject({ url: kickOffPath, headers })
  t.equal(response.statusCode, 500)
  t.match(response.json(), outcome('exception', 'internal-error'))
  t.notOk(response.headers['retry-after'])
  t.notMatch(response.body, /secret internals/)
  const requestId = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(response.json().issue[0].diagnostics)?.[0] ?? 'none'
  t.ok(logLines.some((line) => line.includes(requestId) && line.includes('secret internals')), 'the log tells the rest')
})

t.test('what is not even a request gets an OperationOutcome, too', async (t) => {
  const { app } = await startApi(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  for (const [request, status, coding] of [
    ['GARBAGE\r\n\r\n', 400, 'bad-request'],
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'request-header-fields-too-large'],
    [`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431, 'request-header-fields-too-large'],
  ] as const) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(request)
    const response = await text(socket)
    t.match(response, new RegExp(`^HTTP/1.1 ${status} `))
    t.match(response, /\r\nContent-Type: application\/fhir\+json/)
    t.match(JSON.parse(response.slice(response.indexOf('\r\n\r\n'))), {
      resourceType: 'OperationOutcome', issue: [{ details: { coding: [{ code: coding }] } }],
    })
  }
})

t.test('what a browser is told stands on every answer, errors and what is no request included', async (t) => {
  const expected = {
    'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'strict-transport-security': 'max-age=31536000',
  }
  const { app } = await startApi(t)
  for (const url of [
    '/livez', '/docs', '/docs/json', '/fhir/r4/metadata', kickOffPath, statusPath(id), '/nowhere', '/%', '/docs/static/%00',
  ]) {
    t.match((await app.inject({ url, headers })).headers, expected, url)
  }
  t.match((await app.inject({ method: 'PUT', url: kickOffPath })).headers, expected)
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.match(
    await sendRaw(app, 'GARBAGE\r\n\r\n'),
    /\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nStrict-Transport-Security: /
  )

  const local = await startApi(t, { environment: { PUBLIC_URL: 'http://localhost:3000' } })
  const { headers: plain } = await local.app.inject({ url: '/livez' })
  t.equal(plain['x-content-type-options'], 'nosniff')
  t.notOk('strict-transport-security' in plain, 'where clients come by http')
})

t.test('an address that cannot be a file\'s is 404, however it is written', async (t) => {
  const { app, logLines } = await startApi(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  for (const url of [
    '/docs/static/../x', '/docs/static/../../package.json', '/docs/static//x', '/docs/static/%00', '/docs/static/x%00.js',
    '/docs/static/..%2fx', '/docs/static/%2e%2e/x',
    '/docs/static/..%5cx', '/docs//x', `/docs/static/${'a'.repeat(3_000)}`, '/docs/static/.git', '//x', '//', '/%00', '/fhir/r4/../x',
    '/fhir/r4/%00',
  ]) {
    t.match(await sendRaw(app, `GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 404 /, url)
  }
  t.notMatch(logLines.join('\n'), '"level":50')
})

t.test('errors are application/json where Accept prefers it, and in any case of one CodeSystem', async (t) => {
  const { app } = await startApi(t)
  const codeSystem = (await app.inject({ url: '/fhir/r4/CodeSystem/error-code' })).json()
  t.equal(codeSystem.url, `${publicUrl}/fhir/r4/CodeSystem/error-code`)
  for (const [accept, type] of [
    [undefined, 'application/fhir+json'], ['*/*', 'application/fhir+json'], ['application/json', 'application/json'],
    ['application/json, */*', 'application/json'],
    ['application/fhir+json, application/json;q=0.5', 'application/fhir+json'],
  ] as const) {
    for (const [url, status] of [['/nowhere', 404], [`${kickOffPath}?nope=1`, 400], [statusPath(id), 404], ['/%', 400]] as const) {
      const response = await app.inject({ url, headers: { ...headers, ...(accept === undefined ? {} : { accept }) } })
      t.equal(response.statusCode, status)
      t.equal(String(response.headers['content-type']).split(';')[0], type, `${accept} ${url}`)
      const [{ details, diagnostics }] = response.json().issue
      const [{ system, code }] = details.coding
      t.equal(system, codeSystem.url)
      t.match(codeSystem.concept.find((concept: { code: string }) => concept.code === code), { display: details.text }, code)
      t.not(details.text, diagnostics)
    }
  }
})

t.test('a header that may stand once and stands twice is 400', async (t) => {
  const { app } = await startApi(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const authorization = `Authorization: ${headers.authorization}`
  for (const [address, lines] of [
    [kickOffPath, [authorization, authorization]],
    [kickOffPath, [authorization, 'authorization: Bearer other']],
    ['/fhir/r4/metadata', [authorization, authorization]],
    [kickOffPath, [authorization, 'Content-Type: application/json', 'Content-Type: application/fhir+json']],
    [kickOffPath, [authorization, 'Host: y']],
    [filePath(id, 'Patient.1.ndjson'), [authorization, 'Range: bytes=0-1', 'Range: bytes=2-3']],
  ] as const) {
    const response = await sendRaw(app, [`GET ${address} HTTP/1.1`, 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n'))
    t.match(response, /^HTTP\/1\.1 400 /, lines.join())
    t.match(response, /may stand once only/)
  }
  const lists = [
    'Accept: application/json', 'Accept: application/fhir+json', 'Prefer: respond-async', 'Prefer: handling=strict', 'X-Other: a',
    'X-Other: a',
  ]
  t.match(
    await sendRaw(app, [`GET ${kickOffPath} HTTP/1.1`, 'Host: x', 'Connection: close', authorization, ...lists, '', ''].join('\r\n')),
    /^HTTP\/1\.1 202 /
  )
})

async function sendRaw ({ server }: { server: Server }, request: string): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(request)
  return await text(socket)
}

t.test('the log holds a line for each request, and neither a token nor an address with its query', async (t) => {
  const { app, logLines } = await startApi(t)
  await app.inject({ url: `${kickOffPath}?_type=Patient&patient=secret-patient`, headers })
  await app.inject({ url: '/nowhere/secret-patient', headers })
  const log = logLines.join('\n')
  t.match(log, /"method":"GET","route":"\/fhir\/r4\/Patient\/\$export","status":400,"durationMs":\d/)
  t.match(log, /"method":"GET","status":404/)
  t.notMatch(log, /secret-patient/)
  t.notOk(log.includes(headers.authorization.slice(7)))
})
