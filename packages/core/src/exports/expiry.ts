import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Database } from '../db/database.ts'

/** The end of an export: expired, its files dropped, its row removed. Every step may be repeated and run anywhere. */

/** Marks what has expired, so that its files may go. Rows that somebody else holds are left for the next time. */
export async function expireExports (db: Kysely<Database>): Promise<number> {
  const { numUpdatedRows } = await db.updateTable('bulk_export_jobs')
    .set({ dropped_at: sql`now()` })
    .where('id', 'in', (eb) => eb.selectFrom('bulk_export_jobs').select('id')
      .where('expires_at', '<=', sql<Date>`now()`)
      .where('dropped_at', 'is', null)
      .forUpdate().skipLocked())
    .executeTakeFirst()
  return Number(numUpdatedRows)
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

export async function removeStaleDownloads (db: Kysely<Database>): Promise<void> {
  await db.deleteFrom('bulk_export_downloads').where('lease_until', '<', sql<Date>`now()`).execute()
}
