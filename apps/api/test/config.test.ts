import { readFile } from 'node:fs/promises'
import t from 'tap'
import { readApiConfig } from '../src/config.ts'

const required = {
  DATABASE_URL: 'postgres://localhost/fhir', QUEUE_URL: 'redis://localhost', IPFS_URL: 'http://localhost:5001', JWT_SECRET: 'x'.repeat(32),
}

t.test('what has a default need not be set', async (t) => {
  t.match(readApiConfig(required), {
    HOST: 'localhost',
    PORT: 3000,
    PUBLIC_URL: 'http://localhost:3000',
    JWT_SUB_IS_PATIENT: false,
    MAX_ACTIVE_EXPORTS: 10,
    MAX_KICK_OFFS_PER_MINUTE: 60,
    MAX_REQUESTS_PER_MINUTE: 600,
    ENCRYPTION_REQUIRED: false,
    EXPORT_TTL: 86_400_000,
    LOG_LEVEL: 'info',
  })
})

t.test('no secret has a default: every variable that is missing is named', async (t) => {
  t.throws(() => readApiConfig({}), {
    code: 'CONFIG_INVALID', message: /^DATABASE_URL: .*\nQUEUE_URL: .*\nIPFS_URL: .*\nJWT_SECRET: .*JWKS_URL/,
  })
})

t.test('every secret may stand in a file, as the README says', async (t) => {
  const secrets: Record<string, string> = { ...required, EXPORT_ENCRYPTION_KEY: `k:${Buffer.alloc(32).toString('base64')}` }
  const folder = t.testdir(secrets)
  const files = Object.fromEntries(Object.keys(secrets).map((name) => [`${name}_FILE`, `${folder}/${name}`]))
  t.strictSame(readApiConfig(files), readApiConfig(secrets))
  const [, listed = ''] = /No secret has a default\. (.*?) may also stand in a file/s.exec(
    await readFile(new URL('../../../docker/README.md', import.meta.url), 'utf8')
  ) ?? []
  const ofWorker = ['EXPORT_DATABASE_URL']
  t.strictSame([...listed.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort(), [...Object.keys(secrets), ...ofWorker].sort())
})

t.test('where encryption is required there has to be a key', async (t) => {
  const ENCRYPTION_REQUIRED = 'true'
  t.throws(() => readApiConfig({ ...required, ENCRYPTION_REQUIRED }), {
    code: 'CONFIG_INVALID', message: /^EXPORT_ENCRYPTION_KEY: is not set; expected because of ENCRYPTION_REQUIRED$/,
  })
  t.equal(readApiConfig({
    ...required, ENCRYPTION_REQUIRED, EXPORT_ENCRYPTION_KEY: `k:${Buffer.alloc(32).toString('base64')}`,
  }).ENCRYPTION_REQUIRED, true)
  t.equal(readApiConfig({ ...required, ENCRYPTION_REQUIRED: 'false' }).ENCRYPTION_REQUIRED, false)
})

t.test('tokens travel in the clear on this machine alone', async (t) => {
  for (const url of [
    'https://fhir.example.org', 'https://fhir.example.org:8443/bulk/v1', 'https://localhost', 'http://localhost:3000', 'http://localhost',
    'http://127.0.0.1:3000', 'http://[::1]:3000',
  ]) {
    t.equal(readApiConfig({ ...required, PUBLIC_URL: url }).PUBLIC_URL, url)
  }
  for (const url of [
    'http://fhir.example.org', 'http://localhost.example.org', 'http://127.0.0.1.example.org', 'http://localhost@example.org',
    'https://user@example.org',
    'https://fhir.example.org/', 'https://fhir.example.org/bulk/', 'https://fhir.example.org?x', 'https://fhir.example.org#x',
    'ftp://localhost', 'localhost:3000', 'https://',
  ]) {
    t.throws(() => readApiConfig({ ...required, PUBLIC_URL: url }), { code: 'CONFIG_INVALID', message: /^PUBLIC_URL: expected / }, url)
  }
})

t.test('a gateway is an address for clients, which they complete', async (t) => {
  for (const url of ['http://localhost:8080', 'https://ipfs.example.org', 'https://example.org/gateways/one']) {
    t.equal(readApiConfig({ ...required, IPFS_GATEWAY_URL: url }).IPFS_GATEWAY_URL, url)
  }
  for (const url of [
    'https://ipfs.example.org/', 'https://me:secret@example.org', 'https://example.org?x', 'https://example.org#x', 'ipfs://Qm', 'https://',
  ]) {
    t.throws(
      () => readApiConfig({ ...required, IPFS_GATEWAY_URL: url }), { code: 'CONFIG_INVALID', message: /^IPFS_GATEWAY_URL: expected / }, url
    )
  }
})

t.test('origins of browsers are named one by one, and there are none by default', async (t) => {
  t.strictSame(readApiConfig(required).CORS_ORIGINS, [])
  t.strictSame(readApiConfig({ ...required, CORS_ORIGINS: 'https://app.example.org, http://localhost:5173' }).CORS_ORIGINS, [
    'https://app.example.org', 'http://localhost:5173',
  ])
  for (const origins of [
    '*', 'https://app.example.org/', 'http://app.example.org', 'app.example.org', 'https://a.example.org https://b.example.org', 'null',
    'https://app.example.org,*',
  ]) {
    t.throws(
      () => readApiConfig({ ...required, CORS_ORIGINS: origins }), { code: 'CONFIG_INVALID', message: /^CORS_ORIGINS: expected / }, origins
    )
  }
})

t.test('tokens have a secret of our own, or the keys of another issuer with its name and ours, or both', async (t) => {
  const { JWT_SECRET, ...others } = required
  const outside = {
    ...others, JWKS_URL: 'https://issuer.example.org/jwks?x=1', JWT_ISSUER: 'https://issuer.example.org', JWT_AUDIENCE: 'bulk',
  }
  t.equal(readApiConfig(outside).JWKS_URL, outside.JWKS_URL)
  t.equal(readApiConfig({ ...outside, JWKS_URL: 'http://localhost:8080/jwks', JWT_SECRET: '' }).JWT_SECRET, undefined)
  t.equal(readApiConfig({ ...outside, JWT_SECRET }).JWT_SECRET, JWT_SECRET)
  t.throws(() => readApiConfig({ ...required, JWT_ISSUER: 'http://localhost:3000/auth' }), {
    code: 'CONFIG_INVALID', message: /^JWT_ISSUER: expected another/,
  })
  t.throws(() => readApiConfig({ ...others, JWKS_URL: outside.JWKS_URL }), {
    code: 'CONFIG_INVALID', message: /^JWT_ISSUER: is not set.*\nJWT_AUDIENCE: is not set/,
  })
  t.throws(() => readApiConfig({ ...outside, JWT_AUDIENCE: '' }), { code: 'CONFIG_INVALID', message: /^JWT_AUDIENCE: is not set/ })
  for (const url of [
    'http://issuer.example.org/jwks', 'http://localhost.example.org', 'https://user@issuer.example.org', 'file:///jwks',
    'https://issuer.example.org/#x', 'issuer',
  ]) {
    t.throws(() => readApiConfig({ ...outside, JWKS_URL: url }), { code: 'CONFIG_INVALID', message: /^JWKS_URL: expected an https/ }, url)
    t.throws(
      () => readApiConfig({ ...outside, TOKEN_ENDPOINT_URL: url }),
      { code: 'CONFIG_INVALID', message: /^TOKEN_ENDPOINT_URL: expected an https/ }, url
    )
  }
})

t.test('wrong values are named and never repeated', async (t) => {
  for (const [name, value] of [
    ['JWT_SECRET', 'x'.repeat(31)], ['PORT', '65536'], ['PORT', 'http'], ['MAX_ACTIVE_EXPORTS', '0'],
    ['JWT_SUB_IS_PATIENT', 'perhaps'], ['EXPORT_TTL', '24'], ['LOG_LEVEL', 'loud'], ['QUEUE_URL', 'amqp://x'],
    ['IPFS_URL', 'file://relative'],
  ] as const) {
    t.throws(
      () => readApiConfig({ ...required, [name]: value }),
      { code: 'CONFIG_INVALID', message: new RegExp(`^${name}: expected (?!.*${value}\\b.*x{31})`) }, `${name}=${value}`
    )
  }
})
