import { sql, type Kysely, type Transaction } from 'kysely'
import { recordDownloads, recordExports } from '../audit/record.ts'
import type { Database } from '../db/database.ts'
import { batchOf, batchSize, deleteInBatches, inBatches, updateInBatches } from '../db/batches.ts'
import { destroyKeys } from './destroy-keys.ts'

/** The end of an export: expired, its files dropped, its row removed. Every step is repeatable, runs in any worker, and in batches. */

/**
 * Marks what has expired, so that its files may go, and destroys the keys of those that are encrypted. When it returns, all that had
 * expired is marked, by this call or another. Returns how many exports this one marked.
 */
export async function expireExports (db: Kysely<Database>): Promise<number> {
  return await inBatches(async () => await db.transaction().execute(expireBatch))
}

async function expireBatch (trx: Transaction<Database>): Promise<number> {
  const expired = await trx.updateTable('bulk_export_jobs')
    .set({ dropped_at: sql`now()` })
    .where('id', 'in', (eb) => eb.selectFrom('bulk_export_jobs').select('id')
      .where('expires_at', '<=', sql<Date>`now()`)
      .where('dropped_at', 'is', null)
      .orderBy('expires_at').orderBy('id') // two of us take their locks in the same order, which is an index's
      .limit(batchSize)
      .forUpdate())
    .returning('id')
    .execute()
  const ids = expired.map(({ id }) => id)
  await recordExports(trx, 'expired', ids)
  await destroyKeys(trx, ids)
  return expired.length
}

/** Removes the rows of expired exports once the last of their files is gone. */
export async function removeExpiredExports (db: Kysely<Database>): Promise<number> {
  return await deleteInBatches(db, sql`bulk_export_jobs`, sql`expires_at <= now() AND dropped_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM bulk_export_files WHERE export_id = bulk_export_jobs.id AND state <> 'dropped')`)
}

/** Forgets files that were dropped a day ago: by then no paused worker can bring one back. */
export async function forgetDroppedFiles (db: Kysely<Database>): Promise<number> {
  return await deleteInBatches(db, sql`bulk_export_files`, sql`state = 'dropped' AND dropped_at < now() - interval '1 day'`)
}

/**
 * Claims the dropped files that no garbage collection has been run for. A worker whose collection fails gives them back
 * (`releaseGarbage`). Returns whether there were any; of several workers at once more than one may claim some.
 */
export async function claimGarbage (db: Kysely<Database>): Promise<boolean> {
  return await updateInBatches(db, sql`bulk_export_files`, sql`collected = true`, sql`state = 'dropped' AND NOT collected`) > 0
}

export async function releaseGarbage (db: Kysely<Database>): Promise<void> {
  await updateInBatches(db, sql`bulk_export_files`, sql`collected = false`, sql`state = 'dropped' AND collected`)
}

/** Of processes that ended, or could not record the end of a download. */
export async function removeStaleDownloads (db: Kysely<Database>): Promise<void> {
  await inBatches(async () => await recordDownloads(db, batchOf(sql`bulk_export_downloads`, sql`lease_until < now()`), {
    bytes: null, isWhole: false, detail: 'the process that sent the file did not say how it ended', process: 'worker',
  }))
}
