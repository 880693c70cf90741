import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Database } from '../db/database.ts'

/** How often a worker lets itself be seen. */
export const workerBeatMs = 5_000

/** A worker's heartbeat. Forgets workers that were last seen a day ago. */
export async function noteWorker (db: Kysely<Database>, worker: { id: string, host: string }): Promise<void> {
  await db.with('forgotten', (qb) => qb.deleteFrom('bulk_export_workers').where('seen_at', '<', sql<Date>`now() - interval '1 day'`).where('id', '<>', worker.id))
    .insertInto('bulk_export_workers').values(worker)
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at: sql`now()` }))
    .execute()
}

/** For how long no worker has been seen, in ms; null: none ever was. */
export async function findWorkerSilence (db: Kysely<Database>): Promise<number | null> {
  const { silence } = await db.selectFrom('bulk_export_workers')
    .select(sql<number | null>`(1000 * extract(epoch FROM now() - max(seen_at)))::bigint`.as('silence'))
    .executeTakeFirstOrThrow()
  return silence
}
