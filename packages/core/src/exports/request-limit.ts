import { sql, type Kysely } from 'kysely'
import type { Database } from '../db/database.ts'
import { deleteInBatches } from '../db/batches.ts'

/**
 * Takes `count` requests out of what a caller may ask in a minute, over all API processes: `perMinute` at once, then evenly (GCRA,
 * ITU-T I.371). One row a caller and one statement, on the database's clock; a refused request changes nothing.
 * @returns whether there were so many left.
 */
export async function takeRequests (
  db: Kysely<Database>, requester: string, { count, perMinute }: { count: number, perMinute: number }
): Promise<boolean> {
  const cost = sql`${count * 60_000 / perMinute} * interval '1 ms'`
  const { rows } = await sql`
    INSERT INTO bulk_export_callers AS caller (requester, full_at) VALUES (${requester}, now() + ${cost})
    ON CONFLICT (requester) DO UPDATE SET full_at = greatest(caller.full_at, now()) + ${cost}
      WHERE greatest(caller.full_at, now()) + ${cost} <= now() + interval '1 minute'
    RETURNING requester`.execute(db)
  return rows.length > 0
}

/** Of a caller that has all of its requests again, nothing needs to be known. */
export async function forgetQuietCallers (db: Kysely<Database>): Promise<number> {
  return await deleteInBatches(db, sql`bulk_export_callers`, sql`full_at < now()`)
}
