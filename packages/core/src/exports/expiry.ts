import { sql } from 'kysely'
import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../db/database.ts'
import { destroyKeys } from './keys.ts'

/** The end of an export: expired, its files dropped, its row removed. Every step may be repeated and run anywhere. */

const batchSize = 1_000

/**
 * Marks what has expired, so that its files may go, and destroys the keys of those that are encrypted. When it returns, all that had
 * expired is marked, by this call or another. Returns how many exports this one marked.
 */
export async function expireExports (db: Kysely<Database>): Promise<number> {
  let total = 0
  for (;;) {
    const expired = await db.transaction().execute(expireBatch)
    total += expired
    if (expired < batchSize) return total
  }
}

async function expireBatch (trx: Transaction<Database>): Promise<number> {
  const expired = await trx.updateTable('bulk_export_jobs')
    .set({ dropped_at: sql`now()` })
    .where('id', 'in', (eb) => eb.selectFrom('bulk_export_jobs').select('id')
      .where('expires_at', '<=', sql<Date>`now()`)
      .where('dropped_at', 'is', null)
      .orderBy('id') // two of us take their locks in the same order
      .limit(batchSize)
      .forUpdate())
    .returning('id')
    .execute()
  await destroyKeys(trx, expired.map(({ id }) => id))
  return expired.length
}

/** Removes the rows of expired exports once the last of their files is gone. */
export async function removeExpiredExports (db: Kysely<Database>): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('bulk_export_jobs')
    .where('id', 'in', (eb) => eb.selectFrom('bulk_export_jobs as expired').select('expired.id')
      .where('expires_at', '<=', sql<Date>`now()`)
      .where('dropped_at', 'is not', null)
      .where(({ not, exists, selectFrom }) => not(exists(selectFrom('bulk_export_files').select('n')
        .whereRef('export_id', '=', 'expired.id')
        .where('state', '<>', 'dropped'))))
      .forUpdate().skipLocked())
    .executeTakeFirst()
  return Number(numDeletedRows)
}

/** Forgets files that were dropped a day ago: by then no paused worker can bring one back. */
export async function forgetDroppedFiles (db: Kysely<Database>): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('bulk_export_files')
    .where('state', '=', 'dropped')
    .where('dropped_at', '<', sql<Date>`now() - interval '1 day'`)
    .executeTakeFirst()
  return Number(numDeletedRows)
}

/**
 * Whether something was dropped that no garbage collection has been run for, and takes it on: of several that ask, one is told
 * true. Whoever takes it on and does not get it done gives it back (`releaseGarbage`).
 */
export async function claimGarbage (db: Kysely<Database>): Promise<boolean> {
  const { numUpdatedRows } = await db.updateTable('bulk_export_files')
    .set({ collected: true })
    .where('state', '=', 'dropped')
    .where('collected', '=', false)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

export async function releaseGarbage (db: Kysely<Database>): Promise<void> {
  await db.updateTable('bulk_export_files').set({ collected: false }).where('state', '=', 'dropped').where('collected', '=', true).execute()
}

export async function removeStaleDownloads (db: Kysely<Database>): Promise<void> {
  await db.deleteFrom('bulk_export_downloads').where('lease_until', '<', sql<Date>`now()`).execute()
}
