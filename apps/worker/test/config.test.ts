import { readConfig } from '@fhir-bulk-export/core/config'
import t from 'tap'
import { configSchema } from '../src/config.ts'

const required = { DATABASE_URL: 'postgres://host/database', QUEUE_URL: 'redis://host', IPFS_URL: 'file:///exports' }

t.test('defaults, units and lists', async (t) => {
  const config = readConfig(configSchema, {
    ...required, EXPORT_LEASE: '1500ms', EXPORT_FILE_BYTES: '64MiB',
    ATTACHMENT_BASE_URLS: 'https://a/, https://b/,'
  })
  t.match(config, {
    EXPORT_TTL: 86_400_000,
    EXPORT_LEASE: 1_500,
    EXPORT_FILE_BYTES: 67_108_864,
    EXPORT_ATTEMPTS: 3,
    ATTACHMENT_BASE_URLS: ['https://a/', 'https://b/'],
  })
  t.notOk('MRN_SYSTEM' in config)
  t.throws(() => { Object.assign(config, { EXPORT_TTL: 1 }) }, TypeError, 'it is frozen')
})

t.test('a lease that is over before it is renewed is refused', async (t) => {
  for (const EXPORT_LEASE of ['0s', '0ms', '999ms', '0999ms', '00d']) {
    t.throws(() => readConfig(configSchema, { ...required, EXPORT_LEASE }),
      { message: 'EXPORT_LEASE: expected a duration of at least one second, such as 30s or 5m' }, EXPORT_LEASE)
  }
  for (const [EXPORT_LEASE, ms] of [['1s', 1_000], ['1000ms', 1_000], ['01500ms', 1_500], ['10s', 10_000], ['1m', 60_000]] as const) {
    t.equal(readConfig(configSchema, { ...required, EXPORT_LEASE }).EXPORT_LEASE, ms)
  }
})
