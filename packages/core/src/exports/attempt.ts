import { sql, type Kysely, type UpdateObject } from 'kysely'
import type { Database } from '../db/database.ts'

/** Every write of an attempt but its claim is fenced by its number (vocabulary.ts). */
export interface Attempt { id: string, attempt: number }

/** So many milliseconds from now, on the database's clock. */
export const fromNow = (ms: number) => sql<Date>`now() + ${ms} * interval '1 ms'`

export function ended (status: 'completed' | 'failed', ttlMs: number) {
  return { status, leased: false, ended_at: sql<Date>`now()`, expires_at: fromNow(ttlMs) }
}

/** Writes to the export's row as its attempt. Returns whether the attempt still holds the lease: if not, nothing was written. */
export async function updateHeld (
  db: Kysely<Database>, { id, attempt }: Attempt, values: UpdateObject<Database, 'bulk_export_jobs'>
): Promise<boolean> {
  const { numUpdatedRows } = await db.updateTable('bulk_export_jobs')
    .set(values)
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .where('status', '=', 'in_progress')
    .where('leased', '=', true)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}
