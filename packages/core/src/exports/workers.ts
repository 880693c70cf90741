import { sql, type Kysely, type Selectable } from 'kysely'
import type { Database } from '../db/database.ts'
import type { BulkExportWorkersTable } from '../db/tables/bulk-export-workers.ts'

/** How often a worker lets itself be seen. */
export const workerBeatMs = 5_000
/** One that was not seen for so long, several heartbeats, is not there. */
export const workerAbsentMs = 6 * workerBeatMs

/** A worker's heartbeat. Forgets workers that were last seen a day ago. */
export async function noteWorker (db: Kysely<Database>, worker: { id: string, host: string, running: string[] }): Promise<void> {
  await db.with('forgotten',
    (qb) => qb.deleteFrom('bulk_export_workers').where('seen_at', '<', sql<Date>`now() - interval '1 day'`).where('id', '<>', worker.id))
    .insertInto('bulk_export_workers').values(worker)
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at: sql`now()`, running: worker.running }))
    .execute()
}

/** For how long no worker has been seen, in ms; null: none ever was. */
export async function findWorkerSilence (db: Kysely<Database>): Promise<number | null> {
  const { silence } = await db.selectFrom('bulk_export_workers')
    .select(sql<number | null>`(1000 * extract(epoch FROM now() - max(seen_at)))::bigint`.as('silence'))
    .executeTakeFirstOrThrow()
  return silence
}

/** Those that were seen lately, the newest first. */
export async function findWorkers (db: Kysely<Database>, limit: number): Promise<Array<Selectable<BulkExportWorkersTable>>> {
  return await db.selectFrom('bulk_export_workers').selectAll()
    .where('seen_at', '>', sql<Date>`now() - ${workerAbsentMs} * interval '1 ms'`)
    .orderBy('started_at', 'desc').orderBy('id')
    .limit(limit)
    .execute()
}
