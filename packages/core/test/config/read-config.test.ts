import { Type } from '@sinclair/typebox'
import t from 'tap'
import { byteSize, databaseConfig, duration, exportConfig, list, readConfig } from '../../src/config/index.ts'

t.test('defaults, units and lists', async (t) => {
  const config = readConfig(Type.Object({ ...exportConfig }), { EXPORT_LEASE: '1500ms', EXPORT_FILE_BYTES: '64MiB', ATTACHMENT_BASE_URLS: 'https://a/, https://b/,' })
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

t.test('numbers and booleans are read exactly', async (t) => {
  const schema = Type.Object({ N: Type.Integer({ minimum: 1 }), B: Type.Boolean({ default: false }) })
  t.same(readConfig(schema, { N: '12', B: 'true' }), { N: 12, B: true })
  for (const N of ['1.5', '1e3', '0x10', ' 1', '-1', '0', 'many']) t.throws(() => readConfig(schema, { N }), { message: /^N: expected/ }, N)
  for (const B of ['1', 'TRUE', 'yes']) t.throws(() => readConfig(schema, { N: '1', B }), { message: /^B: expected/ }, B)
})

t.test('a lease that is over before it is renewed is refused', async (t) => {
  const schema = Type.Object({ EXPORT_LEASE: exportConfig.EXPORT_LEASE })
  for (const EXPORT_LEASE of ['0s', '0ms', '999ms', '0999ms', '00d']) {
    t.throws(() => readConfig(schema, { EXPORT_LEASE }), { message: 'EXPORT_LEASE: expected a duration of at least one second, such as 30s or 5m' }, EXPORT_LEASE)
  }
  for (const [EXPORT_LEASE, ms] of [['1s', 1_000], ['1000ms', 1_000], ['01500ms', 1_500], ['10s', 10_000], ['1m', 60_000]] as const) {
    t.equal(readConfig(schema, { EXPORT_LEASE }).EXPORT_LEASE, ms)
  }
})

t.test('an empty value counts as unset', async (t) => {
  t.equal(readConfig(Type.Object({ A: duration({ default: '2s' }) }), { A: '' }).A, 2_000)
})

t.test('every problem is named at once, and no value is told', async (t) => {
  const schema = Type.Object({ ...databaseConfig, TTL: duration({}), SIZE: byteSize({}), COUNT: Type.Integer({ expected: 'a whole number' }), LIST: list({ default: '' }) })
  try {
    readConfig(schema, { DATABASE_URL: 'mysql://user:hunter2@host', TTL: '5 fortnights', COUNT: 'many' })
    t.fail('accepted')
  } catch (error) {
    t.match(error, { code: 'CONFIG_INVALID' })
    const { message } = error as Error
    t.match(message, /DATABASE_URL: expected a URL such as postgres:/)
    t.match(message, /TTL: expected a duration/)
    t.match(message, /SIZE: is not set; expected a size/)
    t.match(message, /COUNT: expected a whole number/)
    t.notMatch(message, /hunter2|fortnights|many/)
  }
})
