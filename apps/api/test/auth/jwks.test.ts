import { createPublicKey, generateKeyPairSync, KeyObject } from 'node:crypto'
import { eventually } from '@fhir-bulk-export/core/testing/database'
import { exportJWK } from 'jose'
import t from 'tap'
import { createJwks as createJwksOf } from '../../src/auth/jwks.ts'
import { createSigningKey, startJwksServer } from '../fixtures/jwks.ts'

const rsa = await createSigningKey('RS384', 'rsa')
const ec = await createSigningKey('ES384', 'ec')
const next = await createSigningKey('ES384', 'next')

const ofRsa = { alg: 'RS384', kid: 'rsa' }
const ofEc = { alg: 'ES384', kid: 'ec' }
const noKey = { code: 'ERR_JWKS_NO_MATCHING_KEY' }

/** Of an issuer that the operator chose, and as PEM: what is looked at here. */
function createJwks (url: string, options: { deadlineMs?: number, clock?: () => number } = {}) {
  const jwks = createJwksOf(url, { mayBePrivate: true, minFreshnessMs: 5_000, ...options })
  return {
    getKey: async (header: { alg: string, kid?: string }) => KeyObject.from(await jwks.getKey(header)).export({
      type: 'spki', format: 'pem',
    }).toString()
  }
}

/** A clock that is moved by hand. */
function createClock () {
  let now = 1_000
  return { clock: () => now, pass: (ms: number) => { now += ms } }
}

t.test('the key is the one that kid, kty, curve, alg and use say', async (t) => {
  const { jwk } = await createSigningKey('ES384', 'encryption')
  const server = await startJwksServer(t, rsa.jwk, ec.jwk, { ...jwk, use: 'enc' }, { kty: 'oct', kid: 'secret', k: 'c2VjcmV0' }, {
    ...ec.jwk, kid: 'any', alg: undefined as never,
  })
  const jwks = createJwks(server.url)
  const { kid, alg, use, ...publicPart } = rsa.jwk
  t.strictSame(createPublicKey(await jwks.getKey(ofRsa)).export({ format: 'jwk' }), publicPart)
  t.equal(createPublicKey(await jwks.getKey(ofEc)).asymmetricKeyType, 'ec')
  t.equal(server.requests, 1)
  for (const header of [
    { alg: 'ES384', kid: 'rsa' }, { alg: 'RS256', kid: 'rsa' }, { alg: 'PS384', kid: 'rsa' }, { alg: 'ES256', kid: 'any' },
    { alg: 'ES384', kid: 'encryption' },
    { alg: 'RS384', kid: 'RSA' }, { alg: 'RS384', kid: '' }, { alg: 'RS384', kid: 'secret' },
  ]) {
    await t.rejects(jwks.getKey(header), noKey, JSON.stringify(header))
  }
})

t.test('a token need not name its key where only one can be meant', async (t) => {
  const server = await startJwksServer(t, rsa.jwk, ec.jwk, next.jwk)
  const jwks = createJwks(server.url)
  t.match(await jwks.getKey({ alg: 'RS384' }), /BEGIN PUBLIC KEY/)
  await t.rejects(jwks.getKey({ alg: 'ES384' }), { code: 'ERR_JWKS_MULTIPLE_MATCHING_KEYS' })
})

t.test('nothing is fetched before a token comes, and then once for all of them', async (t) => {
  const server = await startJwksServer(t, rsa.jwk, ec.jwk)
  const jwks = createJwks(server.url)
  t.equal(server.requests, 0)
  await Promise.all([ofRsa, ofEc, ofRsa, ofEc, ofRsa].map(async (header) => await jwks.getKey(header)))
  t.equal(server.requests, 1)
})

t.test('keys are kept as long as Cache-Control allows, and the issuer is never asked more often than every five seconds', async (t) => {
  for (const [headers, seconds] of [
    [{}, 600],
    [{ 'Cache-Control': 'public, max-age=60' }, 60],
    [{ 'Cache-Control': 'max-age=60', Age: '20' }, 40],
    [{ 'Cache-Control': 'max-age=1000000' }, 86_400],
    [{ 'Cache-Control': 'max-age=1' }, 5],
    [{ 'Cache-Control': 'no-store' }, 5],
    [{ 'Cache-Control': 'no-cache, max-age=60' }, 5],
  ] as const) {
    const server = await startJwksServer(t, rsa.jwk)
    server.answer.headers = headers
    const { clock, pass } = createClock()
    const jwks = createJwks(server.url, { clock })
    await jwks.getKey(ofRsa)
    pass(seconds * 1_000 - 1)
    await jwks.getKey(ofRsa)
    t.equal(server.requests, 1, JSON.stringify(headers))
    server.answer.keys = [ec.jwk]
    pass(1)
    await t.rejects(jwks.getKey(ofRsa), noKey, 'a key that was taken back is gone')
    t.equal(server.requests, 2, JSON.stringify(headers))
  }
})

t.test('an unknown key is looked for once, and tokens with invented keys do not make the issuer be asked again', async (t) => {
  const server = await startJwksServer(t, ec.jwk)
  server.answer.headers = { 'Cache-Control': 'max-age=3600' }
  const { clock, pass } = createClock()
  const jwks = createJwks(server.url, { clock })
  await jwks.getKey(ofEc)
  server.answer.keys = [ec.jwk, next.jwk]
  pass(5_000)
  const found = await Promise.all([1, 2, 3].map(async () => await jwks.getKey({ alg: 'ES384', kid: 'next' })))
  t.match(found[2], /BEGIN PUBLIC KEY/)
  t.equal(server.requests, 2)
  for (let n = 0; n < 50; n++) await t.rejects(jwks.getKey({ alg: 'ES384', kid: `invented-${n}` }), noKey)
  await jwks.getKey(ofEc)
  t.equal(server.requests, 2)
  pass(5_000)
  await Promise.all([1, 2, 3].map(async (n) => { await t.rejects(jwks.getKey({ alg: 'ES384', kid: `invented-${n}` }), noKey) }))
  t.equal(server.requests, 3)
})

t.test('an issuer that is away, slow or broken makes no statement about a token', async (t) => {
  const { publicKey: weak } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  for (const [name, answer] of Object.entries({
    error: { status: 500 },
    missing: { status: 404 },
    redirect: { status: 302, headers: { Location: '/elsewhere' } },
    'no JSON': { body: '<html>' },
    'no key set': { body: '{"keys":{}}' },
    'no object': { body: 'null' },
    slow: { hangs: true },
    'another protocol': { status: 101, headers: { Connection: 'Upgrade', Upgrade: 'other' } },
    'a malformed key': { keys: [{ ...rsa.jwk, n: '!' }] },
    'a weak key': { keys: [{ ...await exportJWK(weak), kid: 'rsa' }] },
  })) {
    const server = await startJwksServer(t, rsa.jwk)
    Object.assign(server.answer, answer)
    await t.rejects(createJwks(server.url, { deadlineMs: 200 }).getKey(ofRsa), { code: 'UNAVAILABLE' }, name)
  }
})

t.test('nobody at the address: no key, not even an old one beyond its time; and all is well once the issuer is back', async (t) => {
  const server = await startJwksServer(t, ec.jwk)
  server.answer.headers = { 'Cache-Control': 'max-age=60' }
  const { clock, pass } = createClock()
  const jwks = createJwks(server.url, { clock })
  await jwks.getKey(ofEc)

  server.answer.status = 503
  pass(10_000)
  await t.rejects(jwks.getKey({ alg: 'ES384', kid: 'next' }), { code: 'UNAVAILABLE', retryAfter: 5 }, 'a new key may be there')
  pass(1_000)
  await t.rejects(jwks.getKey({ alg: 'ES384', kid: 'next' }), { code: 'UNAVAILABLE', retryAfter: 4 })
  t.match(await jwks.getKey(ofEc), /PUBLIC KEY/, 'known, and still good')
  t.equal(server.requests, 2, 'it is not asked again at once')

  pass(60_000)
  await t.rejects(jwks.getKey(ofEc), { code: 'UNAVAILABLE' })
  await t.rejects(jwks.getKey(ofEc), { code: 'UNAVAILABLE' })
  t.equal(server.requests, 3)

  server.answer.status = 200
  pass(5_000)
  t.match(await jwks.getKey(ofEc), /PUBLIC KEY/)
})

t.test('an answer without an end is given up, and not kept', async (t) => {
  const server = await startJwksServer(t, ec.jwk)
  server.answer.isEndless = true
  await t.rejects(createJwks(server.url, { deadlineMs: 60_000 }).getKey(ofEc), { code: 'UNAVAILABLE' })
  await eventually(async () => server.endless.givenUp === 1)
  t.ok(server.endless.bytes < 32 * 2 ** 20, `${server.endless.bytes} bytes were taken, by us and by the sockets`)
  server.answer.isEndless = false
  server.answer.body = JSON.stringify({ keys: [ec.jwk], padding: ' '.repeat(200_000) })
  t.match(await createJwks(server.url).getKey(ofEc), /PUBLIC KEY/, 'one that is only long is read')
})
