import { sql, type Kysely } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/db/index.ts'
import {
  cancelExport, expireExports, failExport, handOnExport, markFileDropped, retryExport, type Attempt,
} from '../../src/exports/index.ts'
import { givenKeyring } from '../crypto/fixtures/files.ts'
import { claim, openTestDatabase } from '../fixtures/database.ts'
import { findKeyed, givenAttempt, publish, storeFile } from './fixtures/keyed-files.ts'

const keyring = givenKeyring('k')

const endings: Record<string, (db: Kysely<Database>, attempt: Attempt) => Promise<unknown>> = {
  cancelled: async (db, { id }) => await cancelExport(db, id, 60_000),
  failed: async (db, attempt) => await failExport(db, attempt, 'why', 60_000),
  'to be retried': async (db, attempt) => await retryExport(db, attempt, 'why', 0),
  'handed on': async (db, attempt) => await handOnExport(db, attempt),
  'taken over after its lease': async (db, { id }) => {
    await sql`UPDATE bulk_export_jobs SET available_at = now() - interval '1 ms' WHERE id = ${id}`.execute(db)
    await claim(db, id)
  },
}

for (const [ending, end] of Object.entries(endings)) {
  t.test(`an attempt that is ${ending} leaves no key behind, and records none afterwards`, async (t) => {
    const db = await openTestDatabase(t)
    const [other, attempt] = [await givenAttempt(db), await givenAttempt(db)]
    for (const running of [other, attempt]) t.equal((await storeFile(db, running, keyring)).recorded, true)
    await end(db, attempt)
    t.same(await findKeyed(db, attempt.id), [])
    t.equal((await storeFile(db, attempt, keyring, 2)).recorded, false)
    t.same(await findKeyed(db, attempt.id), [])
    t.equal((await findKeyed(db, other.id)).length, 1, 'another export keeps its own')
  })
}

t.test('a published file keeps its key until the export is deleted, expires, or the file is dropped', async (t) => {
  const db = await openTestDatabase(t)
  for (const drop of [
    async ({ id }: Attempt) => await cancelExport(db, id, 60_000),
    async ({ id }: Attempt) => {
      await sql`UPDATE bulk_export_jobs SET expires_at = now() WHERE id = ${id}`.execute(db)
      t.equal(await expireExports(db), 1)
    },
    async ({ id, attempt }: Attempt) => await markFileDropped(db, { export_id: id, attempt, n: 1 }),
  ]) {
    const attempt = await givenAttempt(db)
    await storeFile(db, attempt, keyring)
    await publish(db, attempt)
    t.equal((await findKeyed(db, attempt.id)).length, 1)
    await drop(attempt)
    t.same(await findKeyed(db, attempt.id), [])
  }
})

t.test('a key is never written down after a cancel, in whatever order the two arrive', async (t) => {
  const db = await openTestDatabase(t)
  for (let round = 0; round < 40; round++) {
    const attempt = await givenAttempt(db)
    await Promise.all([
      ...[1, 2, 3, 4].map(async (n) => await storeFile(db, attempt, keyring, n)),
      cancelExport(db, attempt.id, 60_000),
    ])
    t.same(await findKeyed(db, attempt.id), [], `round ${round}`)
  }
})
