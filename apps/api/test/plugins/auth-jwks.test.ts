import { createHmac, createPublicKey, randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { startApi } from '../fixtures/api.ts'
import { statusPath } from '../fixtures/exports.ts'
import { createSigningKey, startJwksServer } from '../fixtures/jwks.ts'
import { inSeconds, signToken, unsignedToken } from '../fixtures/token.ts'

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']
const keys = await Promise.all(algorithms.map(async (alg) => await createSigningKey(alg, `key of ${alg}`)))
const [key = await createSigningKey('RS256', 'unused')] = keys

const claims = { iss: 'https://issuer.example.org', aud: 'bulk', scope: 'system/*.rs', sub: 'client' }
const anyStatus = () => statusPath(randomUUID())

async function startApiOfIssuer (t: Test) {
  const issuer = await startJwksServer(t, ...keys.map(({ jwk }) => jwk))
  const api = await startApi(t, { environment: { JWT_SECRET: '', JWKS_URL: issuer.url, JWT_ISSUER: claims.iss, JWT_AUDIENCE: claims.aud } })
  const ask = async (token: string) => await api.app.inject({ url: anyStatus(), headers: { authorization: `Bearer ${token}` } })
  return { issuer, ask, ...api }
}

t.test('tokens of an outside issuer, signed with each algorithm; its keys are fetched once', async (t) => {
  const { issuer, ask } = await startApiOfIssuer(t)
  t.equal(issuer.requests, 0)
  for (const [n, { sign }] of keys.entries()) {
    t.equal((await ask(await sign(claims))).statusCode, 404, `token ${n}`)
  }
  for (const more of [{ exp: inSeconds(-30) }, { nbf: inSeconds(30) }, { aud: ['other', 'bulk'] }]) {
    t.equal((await ask(await key.sign({ ...claims, ...more }))).statusCode, 404, JSON.stringify(more))
  }
  t.equal(issuer.requests, 1)
})

t.test('a token that is not good is 401, and no reason to trouble the issuer', async (t) => {
  const { issuer, ask, logLines } = await startApiOfIssuer(t)
  const good = await key.sign(claims)
  const pem = createPublicKey({ key: { ...key.jwk, kty: 'RSA' }, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
  const hmac = (header: object) => {
    const input = [
      header, { exp: inSeconds(3600), ...claims },
    ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
  }
  const stranger = await createSigningKey('RS256', 'key of RS256')
  const tokens = {
    HS256: signToken(claims),
    'HS256 with the public key as its secret': hmac({ alg: 'HS256', kid: 'key of RS256' }),
    'an HMAC said to be RS256': hmac({ alg: 'RS256', kid: 'key of RS256' }),
    none: unsignedToken(claims),
    'no signature': good.slice(0, good.lastIndexOf('.') + 1),
    'the signature of another': good.replace(/[^.]+$/, (await key.sign({ ...claims, sub: 'x' })).split('.')[2] ?? ''),
    'a key of the same name': await stranger.sign(claims),
    'a key of another algorithm': await key.sign(claims, { kid: 'key of RS512' }),
    'a key of another kind': await key.sign(claims, { kid: 'key of ES256' }),
    'an unknown key': await key.sign(claims, { kid: 'unknown' }),
    expired: await key.sign({ ...claims, exp: inSeconds(-61) }),
    'without exp': await key.sign({ ...claims, exp: undefined }),
    'not yet valid': await key.sign({ ...claims, nbf: inSeconds(120) }),
    'another issuer': await key.sign({ ...claims, iss: 'https://issuer.example.org/' }),
    'no issuer': await key.sign({ ...claims, iss: undefined }),
    'another audience': await key.sign({ ...claims, aud: ['other'] }),
    'no audience': await key.sign({ ...claims, aud: undefined }),
  }
  const begun = performance.now()
  await ask(good)
  for (const [name, token] of Object.entries(tokens)) {
    const response = await ask(token)
    t.equal(response.statusCode, 401, name)
    t.equal(response.headers['www-authenticate'], 'Bearer error="invalid_token"')
    t.match(response.json(), { issue: [{ code: 'login', details: { coding: [{ code: 'unauthorized' }] } }] })
  }
  const allowed = 1 + Math.floor((performance.now() - begun) / 5_000) // for a key that it does not know, each five seconds
  t.ok(issuer.requests >= 1 && issuer.requests <= allowed, `${issuer.requests} requests, of ${allowed}`)
  t.notOk(logLines.some((line) => line.includes(good.split('.')[1] ?? '')), 'no token is logged')
})

t.test('what is not signed with a public key does not have the keys fetched at all', async (t) => {
  const { issuer, ask } = await startApiOfIssuer(t)
  for (const token of [signToken(claims), unsignedToken(claims), 'a.b.c']) t.equal((await ask(token)).statusCode, 401)
  t.equal(issuer.requests, 0)
})

t.test('an issuer that is away makes good and bad tokens alike wait', async (t) => {
  const { issuer, ask, logLines } = await startApiOfIssuer(t)
  issuer.answer.status = 500
  for (const token of [await key.sign(claims), await (await createSigningKey('RS256', 'key of RS256')).sign(claims)]) {
    const response = await ask(token)
    t.equal(response.statusCode, 503)
    t.match(response.headers, { 'retry-after': /^[1-5]$/, 'content-type': /^application\/fhir\+json/, 'cache-control': 'no-store' })
    t.match(response.json(), { issue: [{ code: 'transient', details: { coding: [{ code: 'unavailable' }] }, diagnostics: /issuer/ }] })
  }
  t.equal(issuer.requests, 1)
  t.ok(logLines.some((line) => line.includes('status 500')), 'the log says why')
})

t.test('with a secret of our own, a token signed with a public key is refused', async (t) => {
  const { app } = await startApi(t)
  t.equal((await app.inject({ url: anyStatus(), headers: { authorization: `Bearer ${await key.sign(claims)}` } })).statusCode, 401)
})
