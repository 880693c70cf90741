import { createHmac, randomUUID } from 'node:crypto'
import { disableClient, rotateClient } from '@fhir-bulk-export/core/clients'
import { decodeJwt, SignJWT } from 'jose'
import t from 'tap'
import { startApi } from '../../fixtures/api.ts'
import { createBackendClient, createClientKey, type BackendClient } from '../../fixtures/backend-client.ts'
import { get, listen, listenFor, register } from '../../fixtures/client-service.ts'
import { complete } from '../../fixtures/exports.ts'
import { startJwksServer } from '../../fixtures/jwks.ts'
import { secret } from '../../fixtures/token.ts'

/*
 * SMART App Launch 2.2, Backend Services and client-confidential-asymmetric, requirement by requirement (R8 to R14), over HTTP and in
 * strict mode, by a client that shares no code with the service.
 */

const rsa = await createClientKey('RS384', 'rsa')
const ec = await createClientKey('ES384', 'ec')
const strange = await createClientKey('ES384', 'ec')

const strict = { BULK_DATA_STRICT: 'true' }
const now = () => Math.floor(Date.now() / 1_000)

t.test('R8: the SMART configuration is there by default, and what it says is so', async (t) => {
  const client = createBackendClient('lab', ec)
  const { base, tokenUrl } = await listenFor(t, client, strict)
  const response = await fetch(`${base}/.well-known/smart-configuration`, { headers: { Accept: 'text/html' } })
  t.match(response.headers.get('content-type'), /^application\/json/)
  const found = await client.discover(base)
  t.match(found, {
    token_endpoint: tokenUrl,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
    code_challenge_methods_supported: ['S256'],
    capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
  })
  const { scopes_supported: scopes } = found as { scopes_supported?: string[] }
  t.notOk(scopes?.some((scope) => !scope.startsWith('system/')), 'what this endpoint grants, and nothing else')
  for (const scope of scopes ?? []) {
    const assertion = await client.assert(tokenUrl, { claims: { jti: randomUUID() } })
    t.equal((await client.ask(found.token_endpoint, await client.form(tokenUrl, scope, assertion))).body.scope, scope)
  }
  const { rest: [{ security }] } = await (await fetch(`${base}/metadata`)).json() as { rest: [{ security: unknown }] }
  t.match(security, { extension: [{ extension: [{ url: 'token', valueUri: tokenUrl }] }] })
})

t.test('R9: a token request is a form with four members, and each that is missing or wrong has its OAuth error', async (t) => {
  const client = createBackendClient('lab', ec)
  const { tokenUrl } = await listenFor(t, client, strict)
  for (const [name, value, error, text] of [
    ['grant_type', undefined, 'invalid_request', /^grant_type/],
    ['grant_type', '', 'invalid_request', /^grant_type/],
    ['grant_type', 'authorization_code', 'unsupported_grant_type', /^grant_type is 'authorization_code'/],
    ['client_assertion_type', undefined, 'invalid_request', /^client_assertion_type/],
    ['client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer', 'invalid_request', /^client_assertion_type is /],
    ['client_assertion', undefined, 'invalid_request', /^client_assertion is missing/],
    ['client_assertion', 'not.a.jwt', 'invalid_client', /^client_assertion: it is no signed JWT/],
    ['scope', undefined, 'invalid_scope', /^scope is missing/],
    ['scope', ' ', 'invalid_scope', /^scope is missing/],
    ['client_id', 'other', 'invalid_client', /^client_assertion: iss is not the client_id/],
  ] as const) {
    const { [name]: _, ...rest } = await client.form(tokenUrl, 'system/*.rs')
    const answer = await client.ask(tokenUrl, value === undefined ? rest : { ...rest, [name]: value })
    t.match(answer, { status: 400, body: { error, error_description: text } }, `${name}: ${value}`)
    t.match({ cache: answer.headers.get('cache-control'), type: answer.headers.get('content-type') }, {
      cache: 'no-store', type: /^application\/json/,
    })
  }
  const twice = new URLSearchParams(await client.form(tokenUrl, 'system/*.rs'))
  twice.append('scope', 'system/Patient.rs')
  t.match(await client.ask(tokenUrl, twice), {
    status: 400, body: { error: 'invalid_request', error_description: '\'scope\' is given twice' },
  })

  const form = await client.form(tokenUrl, 'system/*.rs')
  const json = await fetch(tokenUrl, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(form) })
  t.match({ status: json.status, body: await json.json() }, {
    status: 400, body: { error: 'invalid_request', error_description: /x-www-form-urlencoded/ },
  })
  t.match(await client.ask(tokenUrl, { ...form, padding: 'x'.repeat(40_000) }), { status: 413, body: { error: 'invalid_request' } })
  t.match({ status: (await fetch(tokenUrl)).status, allow: (await fetch(tokenUrl)).headers.get('allow') }, { status: 405, allow: 'POST' })
  t.match(await client.ask(tokenUrl, { ...form, client_id: 'lab', something: 'else' }), { status: 200 }, 'what is not known is ignored')
})

t.test('R10: an assertion that is wrong whoever sends it is invalid_client, and the text says which claim', async (t) => {
  const client = createBackendClient('lab', ec)
  const { tokenUrl } = await listenFor(t, client, strict)
  for (const [wrong, claim] of [
    [{ claims: { iss: undefined } }, 'iss'], [{ claims: { sub: undefined } }, 'sub'], [{ claims: { sub: 'other' } }, 'iss and sub'],
    [{ claims: { aud: undefined } }, 'aud'], [{ claims: { aud: 'https://other.example.org/auth/token' } }, 'aud'],
    [{ claims: { aud: `${tokenUrl}/` } }, 'aud'],
    [{ claims: { exp: undefined } }, 'exp'], [{ claims: { exp: now() - 1 } }, 'exp is over'],
    [{ claims: { exp: now() + 330 } }, 'exp is more than 300 seconds ahead'],
    [{ claims: { nbf: now() + 60 } }, 'nbf'], [{ claims: { jti: undefined } }, 'jti'], [{ claims: { jti: '' } }, 'jti'],
    [{ claims: { jti: 7 } }, 'jti'],
    [{ header: { kid: undefined } }, 'kid'], [{ header: { typ: 'at+jwt' } }, 'typ'],
  ] as const) {
    const answer = await client.ask(tokenUrl, await client.form(tokenUrl, 'system/*.rs', await client.assert(tokenUrl, wrong)))
    t.match(answer, { status: 400, body: { error: 'invalid_client' } })
    t.ok(
      String(answer.body.error_description).startsWith(`client_assertion: ${claim}`),
      `${JSON.stringify(wrong)}: ${answer.body.error_description}`
    )
  }
  for (const claims of [{ exp: now() + 298 }, { aud: ['https://other.example.org', tokenUrl] }, { nbf: now() }]) {
    t.match(
      await client.ask(tokenUrl, await client.form(tokenUrl, 'system/*.rs', await client.assert(tokenUrl, { claims }))), { status: 200 },
      JSON.stringify(claims)
    )
  }
})

t.test('R10: only RS384 and ES384 sign an assertion', async (t) => {
  const client = createBackendClient('lab', rsa)
  const { tokenUrl } = await listenFor(t, client, strict)
  t.match(await client.getToken(tokenUrl, 'system/*.rs'), { scope: 'system/*.rs' })
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const claims = { iss: 'lab', sub: 'lab', aud: tokenUrl, exp: now() + 60, jti: randomUUID() }
  const unsigned = `${encode({ alg: 'none', kid: 'rsa' })}.${encode(claims)}.`
  const input = `${encode({ alg: 'HS256', kid: 'rsa' })}.${encode(claims)}`
  const byPublicKey = `${input}.${createHmac('sha256', JSON.stringify(rsa.jwk)).update(input).digest('base64url')}`
  const weaker = await new SignJWT(claims).setProtectedHeader({ alg: 'HS384', kid: 'rsa' }).sign(Buffer.from(secret))
  for (const assertion of [unsigned, byPublicKey, weaker]) {
    t.match(await client.ask(tokenUrl, await client.form(tokenUrl, 'system/*.rs', assertion)), {
      status: 400, body: { error: 'invalid_client', error_description: /^client_assertion: (alg is|it is no signed)/ },
    })
  }
})

t.test('R10: an unknown client, a disabled one, another client\'s key, another kid and a changed text get the same answer', async (t) => {
  const { tokenUrl, ...api } = await listen(t, strict)
  const client = createBackendClient('lab', ec, rsa)
  const disabled = createBackendClient('gone', ec)
  await register(api, client)
  await register(api, disabled)
  await disableClient(api.db, 'gone')
  const right = await client.assert(tokenUrl)
  const [header = '', payload = '', signature = ''] = right.split('.')
  const other = Buffer.from(JSON.stringify({
    ...JSON.parse(Buffer.from(payload, 'base64url').toString()), jti: 'other',
  })).toString('base64url')
  const assertions = {
    unknown: await createBackendClient('nobody', ec).assert(tokenUrl),
    'unknown, RSA': await createBackendClient('nobody', rsa).assert(tokenUrl),
    'no client id at all': await createBackendClient('\0 or 1=1', ec).assert(tokenUrl),
    disabled: await disabled.assert(tokenUrl),
    'another\'s key': await client.assert(tokenUrl, { key: strange.privateKey }),
    'another kid': await client.assert(tokenUrl, { header: { kid: 'other' } }),
    'the kid of a key of another type': await client.assert(tokenUrl, { header: { kid: 'rsa' } }),
    'a jku that is not registered': await client.assert(tokenUrl, { header: { jku: 'https://lab.example.org/jwks' } }),
    'a changed text': `${header}.${other}.${signature}`,
    'a changed signature': `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
  }
  const answers = new Set<string>()
  for (const [name, assertion] of Object.entries(assertions)) {
    const { status, body } = await client.ask(tokenUrl, await client.form(tokenUrl, 'system/*.rs', assertion))
    t.match({ status, body }, { status: 400, body: { error: 'invalid_client' } }, name)
    answers.add(JSON.stringify(body))
  }
  t.equal(answers.size, 1, [...answers].join('\n'))
  t.match(await client.ask(tokenUrl, await client.form(tokenUrl, 'system/*.rs', right)), { status: 200 }, 'none of it used up the jti')
})

t.test('R10: a jti is good once for a client, at all API processes together, and two clients may have the same', async (t) => {
  const { tokenUrl, ...api } = await listen(t, strict)
  const [client, neighbour] = [createBackendClient('lab', ec), createBackendClient('clinic', ec)]
  await register(api, client)
  await register(api, neighbour)
  const form = await client.form(tokenUrl, 'system/*.rs', await client.assert(tokenUrl, { claims: { jti: 'one' } }))
  const another = await startApi(t, { environment: { PUBLIC_URL: api.config.PUBLIC_URL }, wrap: () => ({ db: api.db, queue: api.queue }) })
  const payload = new URLSearchParams(form).toString()
  const askAnother = async () => (await another.app.inject({
    method: 'POST', url: '/auth/token', headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload,
  })).statusCode
  const [answers, others] = await Promise.all([
    Promise.all([1, 2, 3].map(async () => await client.ask(tokenUrl, form))),
    Promise.all([1, 2, 3].map(askAnother)),
  ])
  t.strictSame([...answers.map(({ status }) => status), ...others].sort(), [200, 400, 400, 400, 400, 400])
  t.match(answers.find(({ status }) => status === 400)?.body, {
    error: 'invalid_client', error_description: 'client_assertion: jti was used before',
  })
  const again = await client.form(tokenUrl, 'system/*.rs', await client.assert(tokenUrl, { claims: { jti: 'one', exp: now() + 60 } }))
  t.match(await client.ask(tokenUrl, again), { status: 400 }, 'in another assertion, too')
  const theirs = await neighbour.form(tokenUrl, 'system/*.rs', await neighbour.assert(tokenUrl, { claims: { jti: 'one' } }))
  t.match(await neighbour.ask(tokenUrl, theirs), { status: 200 })
  t.match(await api.db.selectFrom('bulk_export_client_assertions').select('client_id').orderBy('client_id').execute(), [
    { client_id: 'clinic' }, { client_id: 'lab' },
  ])
})

t.test('R11: keys are registered inline or by their address, which jku has to be', async (t) => {
  const issuer = await startJwksServer(t, ec.jwk)
  const client = createBackendClient('lab', ec)
  const { tokenUrl } = await listenFor(t, client, { ...strict, JWKS_ALLOW_PRIVATE: 'true' }, { jwksUrl: issuer.url })
  const ask = async (header: object = {}) => await client.ask(
    tokenUrl, await client.form(tokenUrl, 'system/*.rs', await client.assert(tokenUrl, { header }))
  )
  t.match(await ask(), { status: 200 })
  t.match(await ask({ jku: issuer.url }), { status: 200 })
  t.match(await ask({ jku: `${issuer.url}/other` }), { status: 400, body: { error: 'invalid_client' } })
  t.equal(issuer.requests, 1)
})

t.test('R10: kid names exactly one key of the type that signs', async (t) => {
  const issuer = await startJwksServer(t)
  const client = createBackendClient('lab', ec)
  const { tokenUrl } = await listenFor(t, client, { ...strict, JWKS_ALLOW_PRIVATE: 'true' }, { jwksUrl: issuer.url })
  issuer.answer.headers = { 'Cache-Control': 'no-store' }
  for (const [keys, status] of [
    [[ec.jwk, { ...rsa.jwk, kid: 'ec' }], 200], [[ec.jwk, { ...strange.jwk, kid: 'next' }], 200], [[ec.jwk, strange.jwk], 400],
    [[{ ...ec.jwk, kid: 'next' }], 400],
    [[{ ...ec.jwk, use: 'enc' }], 400], [[{ ...ec.jwk, alg: 'ES256' }], 400],
  ] as const) {
    issuer.answer.keys = [...keys]
    t.equal((await client.ask(tokenUrl, await client.form(tokenUrl, 'system/*.rs'))).status, status, JSON.stringify(
      keys.map(({ kid, kty, use, alg }) => ({ kid, kty, use, alg }))
    ))
  }
})

t.test('R11: keys at an address are kept no longer than Cache-Control says', async (t) => {
  const issuer = await startJwksServer(t, ec.jwk)
  const client = createBackendClient('lab', ec)
  const { tokenUrl } = await listenFor(t, client, { ...strict, JWKS_ALLOW_PRIVATE: 'true' }, { jwksUrl: issuer.url })
  const ask = async () => (await client.ask(tokenUrl, await client.form(tokenUrl, 'system/*.rs'))).status
  issuer.answer.headers = { 'Cache-Control': 'no-store' }
  t.equal(await ask(), 200)
  t.equal(await ask(), 200)
  t.equal(issuer.requests, 2)
  issuer.answer.headers = { 'Cache-Control': 'max-age=3600' }
  issuer.answer.keys = [strange.jwk]
  t.equal(await ask(), 400, 'a key that was taken back is gone at once')
  issuer.answer.keys = [ec.jwk]
  t.equal(await ask(), 400, 'and what may be kept is kept')
  t.equal(issuer.requests, 3)
})

t.test('R11: keys at an address that is private, slow, endless, broken or redirected are answered as a wrong signature', async (t) => {
  const wrong = { error: 'invalid_client', error_description: /no client that may have a token here/ }

  const byDefault = await listen(t, strict)
  const reachable = await startJwksServer(t, ec.jwk)
  for (const [n, url] of [reachable.url, reachable.url.replace('127.0.0.1', 'localhost'), reachable.url.replace(
    '127.0.0.1', '[::ffff:7f00:1]'
  ), 'http://10.0.0.1/jwks', 'http://169.254.169.254/'].entries()) {
    const id = `private-${n}`
    const its = createBackendClient(id, ec)
    await register(byDefault, its, { jwksUrl: url })
    t.match(await its.ask(byDefault.tokenUrl, await its.form(byDefault.tokenUrl, 'system/*.rs')), { status: 400, body: wrong }, url)
  }
  t.equal(reachable.requests, 0, 'nobody was asked')
  const { tokenUrl, ...api } = await listen(t, { ...strict, JWKS_ALLOW_PRIVATE: 'true' })
  const elsewhere = await startJwksServer(t, ec.jwk)
  for (const [n, [name, answer]] of Object.entries({
    'a redirect': { status: 302, headers: { Location: elsewhere.url } },
    'an error': { status: 500 },
    'no JSON': { body: '<html>' },
    'no key set': { body: '{"keys":{}}' },
    'other keys': { keys: [rsa.jwk] },
    'no answer': { hangs: true },
    'an answer without an end': { isEndless: true },
  }).entries()) {
    const issuer = await startJwksServer(t, ec.jwk)
    Object.assign(issuer.answer, answer)
    const client = createBackendClient(`client-${n}`, ec)
    await register(api, client, { jwksUrl: issuer.url })
    t.match(await client.ask(tokenUrl, await client.form(tokenUrl, 'system/*.rs')), { status: 400, body: wrong }, name)
    t.equal(issuer.requests, 1, name)
  }
  t.equal(elsewhere.requests, 0, 'the redirect was not followed')
})

t.test('R12: a token is a bearer\'s for 300 seconds at most, and there is none to refresh it with', async (t) => {
  const client = createBackendClient('lab', ec)
  const { base, tokenUrl } = await listenFor(t, client, strict)
  const { status, headers, body } = await client.ask(tokenUrl, await client.form(tokenUrl, 'system/Patient.rs'))
  t.equal(status, 200)
  t.strictSame(Object.keys(body).sort(), ['access_token', 'expires_in', 'scope', 'token_type'])
  t.match(body, { token_type: 'bearer', expires_in: 300, scope: 'system/Patient.rs' })
  t.match({ cache: headers.get('cache-control'), pragma: headers.get('pragma'), type: headers.get('content-type') }, {
    cache: 'no-store', pragma: 'no-cache', type: /^application\/json/,
  })
  const claims = decodeJwt(String(body.access_token))
  t.match(claims, { sub: 'lab', client_id: 'lab', scope: 'system/Patient.rs', aud: base })
  t.equal((claims.exp ?? 0) - (claims.iat ?? 0), 300)
})

t.test('R13: scopes of v1 and v2, reduced to what the client may have, and never more', async (t) => {
  const { tokenUrl, ...api } = await listen(t, strict)
  const all = createBackendClient('all', ec)
  const some = createBackendClient('some', ec)
  await register(api, all)
  await register(api, some, { scopes: ['system/Patient.read', 'system/Observation.rs', 'system/Group.r'] })
  for (const [client, asked, granted] of [
    [all, 'system/*.read', 'system/*.read'], [all, 'system/*.rs', 'system/*.rs'], [all, 'system/Patient.read', 'system/Patient.read'],
    [all, 'system/Patient.rs', 'system/Patient.rs'],
    [all, 'system/Patient.read  system/Observation.rs', 'system/Patient.read system/Observation.rs'],
    [all, 'system/Patient.rs system/Patient.rs', 'system/Patient.rs'],
    [all, 'system/*.*', 'system/*.read'], [all, 'system/Patient.*', 'system/Patient.read'], [all, 'system/*.cruds', 'system/*.rs'],
    [all, 'system/Patient.cr', 'system/Patient.r'],
    [some, 'system/*.read', 'system/Patient.read system/Observation.read system/Group.r'],
    [some, 'system/*.rs', 'system/Patient.rs system/Observation.rs system/Group.r'],
    [some, 'system/Patient.rs system/Consent.rs', 'system/Patient.rs'], [some, 'system/Group.rs', 'system/Group.r'],
  ] as const) {
    t.equal((await client.getToken(tokenUrl, asked)).scope, granted, `${client.id}: ${asked}`)
  }
  for (const [client, asked, text] of [
    [all, 'system/Patient.write', /^scope 'system\/Patient\.write': nothing can be written/],
    [all, 'system/*.cud', /nothing can be written/], [all, 'system/Patient.', /expected/],
    [all, 'system/Patient.peek', /expected/], [all, 'system/Patient.sr', /expected/], [all, 'system/Pony.read', /no such type/],
    [all, 'system/patient.read', /expected/],
    [all, 'patient/Patient.read', /expected/], [all, 'user/*.rs', /expected/], [all, 'openid', /expected/], [all, 'Patient.rs', /expected/],
    [all, 'system/Observation.rs?category=laboratory', /narrowed by a search/], [all, 'system/*.rs system/Pony.rs', /no such type/],
    [all, 'system/"\\\u00e9.rs', /^scope 'system\/'\?\?+\.rs': expected/],
    [some, 'system/Consent.rs', /^scope: the client may have nothing/], [some, 'system/Group.s', /^scope: the client may have nothing/],
  ] as const) {
    t.match(
      await client.ask(tokenUrl, await client.form(tokenUrl, asked)),
      { status: 400, body: { error: 'invalid_scope', error_description: text } }, `${client.id}: ${asked}`
    )
  }
})

t.test('R14: an export from kick-off to file by such a client, in strict mode', async (t) => {
  const client = createBackendClient('lab', ec)
  const { base, tokenUrl, ...api } = await listenFor(t, client, strict)
  const { access_token: token } = await client.getToken((await client.discover(base)).token_endpoint, 'system/Patient.read')
  const kickOff = await get(`${base}/Patient/$export`, token)
  t.equal(kickOff.status, 202, kickOff.text)
  const status = kickOff.headers.get('content-location') ?? ''
  t.equal((await get(status, token)).status, 202)
  await complete(api, status.slice(-36), [{ name: 'Patient.1.ndjson', type: 'Patient', body: '{"resourceType":"Patient","id":"1"}\n' }])
  const done = await get(status, token)
  t.equal(done.status, 200)
  const { output: [file], requiresAccessToken } = JSON.parse(done.text)
  t.equal(requiresAccessToken, true)
  t.equal((await get(file.url, token)).text, '{"resourceType":"Patient","id":"1"}\n')

  const { access_token: narrower } = await client.getToken(tokenUrl, 'system/Consent.read')
  for (const url of [status, file.url, `${base}/Patient/$export?_type=Patient`]) t.equal((await get(url, narrower)).status, 403, url)
  t.equal((await get(status, token, { method: 'DELETE' })).status, 202)
})

t.test('R14: a token that is missing, changed, over, or not from here is 401 with an OperationOutcome, on every request', async (t) => {
  const client = createBackendClient('lab', ec)
  const { base, tokenUrl } = await listenFor(t, client, strict)
  const { access_token: token } = await client.getToken(tokenUrl, 'system/*.rs')
  const claims = decodeJwt(token)
  const sign = async (
    changed: object, key = secret
  ) => await new SignJWT({ ...claims, ...changed }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(key))
  for (const [name, bad] of Object.entries({
    changed: `${token.slice(0, -4)}AAAA`,
    over: await sign({ exp: now() - 61 }),
    'signed by another': await sign({}, 'another secret of 32 bytes and more'),
    'for another service': await sign({ aud: 'https://other.example.org/fhir' }),
    'of a client that is unknown': await sign({ client_id: 'nobody' }),
    'of no client': await sign({ client_id: undefined }),
    'its assertion': await client.assert(tokenUrl),
  })) {
    for (const url of [
      `${base}/$export`, `${base}/$export-status/${randomUUID()}`, `${base}/$export-file/${randomUUID()}/Patient.1.ndjson`,
    ]) {
      const { status, headers, text } = await get(url, bad)
      t.match(
        { status, authenticate: headers.get('www-authenticate'), body: JSON.parse(text) },
        { status: 401, authenticate: /^Bearer/, body: { resourceType: 'OperationOutcome' } }, `${name}: ${url}`
      )
    }
  }
  t.equal((await fetch(`${base}/$export`)).status, 401)
})

t.test('R14: the tokens of a client stop at once when it is disabled; other keys stop none', async (t) => {
  const { base, tokenUrl, ...api } = await listen(t, strict)
  const [client, neighbour] = [createBackendClient('lab', ec), createBackendClient('clinic', rsa)]
  await register(api, client)
  await register(api, neighbour)
  const [{ access_token: token }, { access_token: other }] = await Promise.all([
    client.getToken(tokenUrl, 'system/*.rs'), neighbour.getToken(tokenUrl, 'system/*.rs'),
  ])
  const url = `${base}/$export-status/${randomUUID()}`
  t.equal((await get(url, token)).status, 404)
  t.ok(await rotateClient(api.db, 'lab', { jwks: { keys: [{ ...strange.jwk }] } }))
  t.equal((await get(url, token)).status, 404)
  t.match(
    await client.ask(tokenUrl, await client.form(tokenUrl, 'system/*.rs')), { status: 400, body: { error: 'invalid_client' } },
    'the old key is no longer its own'
  )
  const rotated: BackendClient = createBackendClient('lab', strange)
  t.match(await rotated.getToken(tokenUrl, 'system/*.rs'), { token_type: 'bearer' })

  t.ok(await disableClient(api.db, 'lab'))
  t.equal((await get(url, token)).status, 401)
  t.match(await rotated.ask(tokenUrl, await rotated.form(tokenUrl, 'system/*.rs')), { status: 400, body: { error: 'invalid_client' } })
  t.equal((await get(url, other)).status, 404)
})
