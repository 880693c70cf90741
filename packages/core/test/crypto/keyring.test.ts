import { inspect } from 'node:util'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import { encryptionConfig, readConfig } from '../../src/config/index.ts'
import { base64 } from './fixtures/files.ts'

const read = (value: string) => readConfig(Type.Object(encryptionConfig), { EXPORT_ENCRYPTION_KEY: value }).EXPORT_ENCRYPTION_KEY

t.test('the first key encrypts, all decrypt; keys have names and 32 bytes', async (t) => {
  const keyring = read(`k-2026.03:${base64(1)},old_1:${base64(2)}`)
  t.match(keyring?.map(({ id }) => id), ['k-2026.03', 'old_1'])
  t.same(keyring?.[0].key.export(), Buffer.alloc(32, 1))
  t.equal(read(''), undefined, 'files are not encrypted')
})

t.test('anything else is refused by its name, and never repeated', async (t) => {
  const secret = Buffer.alloc(32, 'secret!').toString('base64')
  for (const value of [
    secret, `:${secret}`, `k:${secret.slice(1)}`, `k:${secret.slice(0, -1)}`, `k:${secret}=`,
    `k:${Buffer.alloc(31, 'secret!').toString('base64')}`,
    `k:${Buffer.alloc(33, 'secret!').toString('base64')}`, `${'k'.repeat(65)}:${secret}`, `k k:${secret}`, `k:${secret},`,
    `k:${secret};l:${secret}`,
    `k:${secret},k:${base64(1)}`, `a:${base64(3)},k:${secret},b:${base64(2)},k:${base64(1)}`, `k:${secret.slice(0, -2)}B=`,
  ]) {
    t.throws(() => read(value), { code: 'CONFIG_INVALID', message: /^EXPORT_ENCRYPTION_KEY: expected (?!.*c2VjcmV0)/ }, value)
  }
})

t.test('a configuration that is printed or logged does not show a key', async (t) => {
  const config = readConfig(Type.Object(encryptionConfig), { EXPORT_ENCRYPTION_KEY: `k:${base64(7)}` })
  const shown = inspect(config, { depth: 10, showHidden: true }) + JSON.stringify(config)
  t.notMatch(shown, base64(7))
  t.notMatch(shown, /07 07 07|7,7,7/)
})

t.test('it can be handed to another thread', async (t) => {
  const keyring = read(`k:${base64(5)}`)
  t.same(structuredClone(keyring)?.[0].key.export(), Buffer.alloc(32, 5))
})
