import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import t from 'tap'
import { unwrapDataKey } from '../../src/crypto/index.ts'
import type { Keyring } from '../../src/crypto/index.ts'
import { createDatabase } from '../../src/db/index.ts'
import { cancelExport, rewrapKeys } from '../../src/exports/index.ts'
import { base64, givenKeyring } from '../crypto/fixtures/files.ts'
import { openTestDatabase } from '../fixtures/database.ts'
import { findKeyed, givenAttempt, publish, storeFile } from './fixtures/keyed-files.ts'

const [oldKey, newKey, lostKey] = givenKeyring('old', 'new', 'lost')
if (newKey === undefined || lostKey === undefined) throw new Error('three keys')
const both: Keyring = [newKey, oldKey]

t.test('after it every file can be read with the new key alone', async (t) => {
  const db = await openTestDatabase(t)
  const attempt = await givenAttempt(db)
  const files = 1_234 // more than two batches
  const keys = await Promise.all(Array.from({ length: files }, async (_, i) => (await storeFile(db, attempt, [oldKey], i + 1)).dataKey))
  await publish(db, attempt, files)
  const already = await givenAttempt(db)
  await storeFile(db, already, [newKey])

  t.match(await rewrapKeys(db, both), { rewrapped: files, failed: new Map() })
  const rows = await findKeyed(db, attempt.id)
  t.equal(rows.length, files)
  t.ok(rows.every((row, i) => keys[i]?.equals(unwrapDataKey([newKey], row, { key_id: row.key_id ?? '', wrapped_key: row.wrapped_key ?? Buffer.alloc(0) }, row.size ?? 0))))
  t.match(await rewrapKeys(db, both), { rewrapped: 0 }, 'once is enough')
})

t.test('a file under a key that is not there is named and stays as it is', async (t) => {
  const db = await openTestDatabase(t)
  const attempt = await givenAttempt(db)
  await storeFile(db, attempt, [lostKey], 1)
  await storeFile(db, attempt, [oldKey], 2)
  const [before] = await findKeyed(db)
  const { rewrapped, failed } = await rewrapKeys(db, both)
  t.equal(rewrapped, 1)
  t.same([...failed], [[`${attempt.id}.${attempt.attempt}.1.ndjson`, 'lost']])
  t.same((await findKeyed(db))[0], before)
})

t.test('keys that are written down or destroyed meanwhile are neither missed nor revived', async (t) => {
  const db = await openTestDatabase(t)
  const attempts = await Promise.all(Array.from({ length: 40 }, async () => await givenAttempt(db)))
  for (const attempt of attempts) await Promise.all([1, 2, 3].map(async (n) => await storeFile(db, attempt, [oldKey], n)))
  await Promise.all([
    rewrapKeys(db, both),
    rewrapKeys(db, both),
    ...attempts.map(async (attempt, i) => i % 2 === 0 ? await cancelExport(db, attempt.id, 60_000) : await storeFile(db, attempt, [oldKey], 4)),
  ])
  await rewrapKeys(db, both)
  const rows = await findKeyed(db)
  t.equal(rows.length, 20 * 4)
  t.ok(rows.every(({ key_id: keyId }) => keyId === 'new'))
})

t.test('the command says what it did, and whether the other keys can be destroyed', async (t) => {
  const DATABASE_URL = await createTestDatabase(t)
  const db = createDatabase(DATABASE_URL, { applicationName: 'test', onError: () => {} })
  t.teardown(async () => { await db.destroy() })
  const attempt = await givenAttempt(db)
  await storeFile(db, attempt, [oldKey], 1)
  await storeFile(db, attempt, [lostKey], 2)
  const run = async (EXPORT_ENCRYPTION_KEY: string) => {
    const program = fileURLToPath(new URL('../../src/cli/rewrap.ts', import.meta.url))
    const child = spawn(process.execPath, [program], { env: { DATABASE_URL, EXPORT_ENCRYPTION_KEY }, stdio: ['ignore', 'pipe', 'pipe'] })
    t.teardown(() => { child.kill('SIGKILL') })
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    return { code: Number(code), stdout, stderr }
  }
  const keys = [`new:${base64(2)}`, `old:${base64(1)}`, `lost:${base64(3)}`]
  t.match(await run(keys.slice(0, 2).join(',')), { code: 1, stdout: /^1 data keys were wrapped with new/, stderr: /2\.ndjson: still under lost/ })
  t.match(await run(keys.join(',')), { code: 0, stdout: /^1 data keys.*\nNo file needs another key than new\.\n$/ })
  t.match(await run(''), { code: 2, stderr: /EXPORT_ENCRYPTION_KEY: is not set/ })
})
