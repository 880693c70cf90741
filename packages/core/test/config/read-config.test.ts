import { Type } from '@sinclair/typebox'
import t from 'tap'
import { byteSize, databaseConfig, duration, encryptionConfig, findEncryptionConflicts, list, readConfig } from '../../src/config/index.ts'

t.test('numbers and booleans are read exactly', async (t) => {
  const schema = Type.Object({ N: Type.Integer({ minimum: 1 }), B: Type.Boolean({ default: false }) })
  t.same(readConfig(schema, { N: '12', B: 'true' }), { N: 12, B: true })
  for (const N of ['1.5', '1e3', '0x10', ' 1', '-1', '0', 'many']) t.throws(() => readConfig(schema, { N }), { message: /^N: expected/ }, N)
  for (const B of ['1', 'TRUE', 'yes']) t.throws(() => readConfig(schema, { N: '1', B }), { message: /^B: expected/ }, B)
})

t.test('an empty value counts as unset', async (t) => {
  t.equal(readConfig(Type.Object({ A: duration({ default: '2s' }) }), { A: '' }).A, 2_000)
})

t.test('every problem is named at once, and no value is told', async (t) => {
  const schema = Type.Object({
    ...databaseConfig, TTL: duration({}), SIZE: byteSize({}),
    COUNT: Type.Integer({ expected: 'a whole number' }), LIST: list({ default: '' })
  })
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

t.test('a secret may stand in a file, without the newline at its end', async (t) => {
  const secret = 'postgres://user:hünter2@host/database'
  const folder = t.testdir({ bare: secret, unix: `${secret}\n`, windows: `${secret}\r\n`, two: `${secret}\n\n` })
  for (const name of ['bare', 'unix', 'windows']) {
    t.equal(readConfig(Type.Object(databaseConfig),
      { DATABASE_URL: '', DATABASE_URL_FILE: `${folder}/${name}` }).DATABASE_URL, secret, name)
  }
  t.equal(readConfig(Type.Object(databaseConfig), { DATABASE_URL_FILE: `${folder}/two` }).DATABASE_URL, `${secret}\n`,
    'one is cut, and no more')
  t.equal(readConfig(Type.Object(databaseConfig), { DATABASE_URL: secret, DATABASE_URL_FILE: '' }).DATABASE_URL, secret,
    'an empty value counts as unset')
  t.equal(readConfig(Type.Object({ PORT: Type.Integer({ default: 1 }) }), { PORT_FILE: `${folder}/bare` }).PORT, 1,
    'a variable without a secret stands in none')
})

t.test('a secret that cannot be had from its file is named, and neither it nor the path is told', async (t) => {
  const folder = t.testdir({
    empty: '\n', wrong: 'mysql://hunter2', latin: Buffer.from([0xe4]),
    exact: `postgres://${'a'.repeat(64 * 1024 - 11)}`, large: `postgres://${'a'.repeat(64 * 1024 - 10)}`
  })
  const schema = Type.Object({ ...databaseConfig, ...encryptionConfig })
  t.equal(readConfig(schema, { DATABASE_URL_FILE: `${folder}/exact` }).DATABASE_URL.length, 64 * 1024)
  for (const [environment, message] of [
    [{ DATABASE_URL_FILE: `${folder}/none` }, 'DATABASE_URL_FILE: cannot be read (ENOENT)'],
    [{ DATABASE_URL_FILE: folder }, 'DATABASE_URL_FILE: cannot be read (EISDIR)'],
    [{ DATABASE_URL_FILE: `${folder}/empty` }, 'DATABASE_URL_FILE: is empty'],
    [{ DATABASE_URL_FILE: `${folder}/latin` }, 'DATABASE_URL_FILE: is not text in UTF-8'],
    [{ DATABASE_URL_FILE: `${folder}/large` }, 'DATABASE_URL_FILE: has more than 64 KiB'],
    [{ DATABASE_URL_FILE: '/dev/zero' }, 'DATABASE_URL_FILE: has more than 64 KiB'],
    [{ DATABASE_URL_FILE: `${folder}/wrong` }, 'DATABASE_URL_FILE: expected a URL such as postgres://user:password@host:5432/database'],
    [{ DATABASE_URL: 'postgres://host', DATABASE_URL_FILE: `${folder}/exact` },
      'DATABASE_URL_FILE: expected instead of DATABASE_URL, not beside it'],
    [{}, 'DATABASE_URL: is not set; expected a URL such as postgres://user:password@host:5432/database'],
  ] as const) t.throws(() => readConfig(schema, environment), { message }, message)
  t.throws(() => readConfig(schema, {
    DATABASE_URL_FILE: `${folder}/none`, ENCRYPTION_REQUIRED: 'true',
    EXPORT_ENCRYPTION_KEY_FILE: `${folder}/empty`
  }, findEncryptionConflicts),
  {
    message: 'DATABASE_URL_FILE: cannot be read (ENOENT)\nEXPORT_ENCRYPTION_KEY_FILE: is empty',
  }, 'what is in a bad file is set all the same')
})
