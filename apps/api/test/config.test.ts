import { readConfig } from '@fhir-bulk-export/core/config'
import t from 'tap'
import { apiConfig } from '../src/config.ts'

const required = {
  DATABASE_URL: 'postgres://localhost/fhir', QUEUE_URL: 'redis://localhost', IPFS_URL: 'http://localhost:5001', JWT_SECRET: 'x'.repeat(32),
}

t.test('what has a default need not be set', async (t) => {
  t.match(readConfig(apiConfig, required), {
    HOST: 'localhost', PORT: 3000, PUBLIC_URL: 'http://localhost:3000', JWT_SUB_IS_PATIENT: false, MAX_ACTIVE_EXPORTS: 10, EXPORT_TTL: 86_400_000, LOG_LEVEL: 'info',
  })
})

t.test('no secret has a default: every variable that is missing is named', async (t) => {
  t.throws(() => readConfig(apiConfig, {}), { code: 'CONFIG_INVALID', message: /^DATABASE_URL: .*\nQUEUE_URL: .*\nIPFS_URL: .*\nJWT_SECRET: / })
})

t.test('tokens travel in the clear on this machine alone', async (t) => {
  for (const url of [
    'https://fhir.example.org', 'https://fhir.example.org:8443/bulk/v1', 'https://localhost', 'http://localhost:3000', 'http://localhost', 'http://127.0.0.1:3000', 'http://[::1]:3000',
  ]) {
    t.equal(readConfig(apiConfig, { ...required, PUBLIC_URL: url }).PUBLIC_URL, url)
  }
  for (const url of [
    'http://fhir.example.org', 'http://localhost.example.org', 'http://127.0.0.1.example.org', 'http://localhost@example.org', 'https://user@example.org',
    'https://fhir.example.org/', 'https://fhir.example.org/bulk/', 'https://fhir.example.org?x', 'https://fhir.example.org#x', 'ftp://localhost', 'localhost:3000', 'https://',
  ]) {
    t.throws(() => readConfig(apiConfig, { ...required, PUBLIC_URL: url }), { code: 'CONFIG_INVALID', message: /^PUBLIC_URL: expected / }, url)
  }
})

t.test('wrong values are named and never repeated', async (t) => {
  for (const [name, value] of [
    ['JWT_SECRET', 'x'.repeat(31)], ['PORT', '65536'], ['PORT', 'http'], ['MAX_ACTIVE_EXPORTS', '0'],
    ['JWT_SUB_IS_PATIENT', 'perhaps'], ['EXPORT_TTL', '24'], ['LOG_LEVEL', 'loud'], ['QUEUE_URL', 'amqp://x'], ['IPFS_URL', 'file://relative'],
  ] as const) {
    t.throws(() => readConfig(apiConfig, { ...required, [name]: value }), { code: 'CONFIG_INVALID', message: new RegExp(`^${name}: expected (?!.*${value}\\b.*x{31})`) }, `${name}=${value}`)
  }
})
