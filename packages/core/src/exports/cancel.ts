import { sql, type Kysely, type Transaction } from 'kysely'
import { recordExports, type Actor } from '../audit/record.ts'
import type { Database } from '../db/database.ts'
import { destroyKeys } from './destroy-keys.ts'

/**
 * Cancels an active or completed export; a failed one stays failed and is marked dropped. From the commit on its encrypted files are
 * unreadable, its files may go, and every further write of a running attempt is refused. The audit records `by`.
 * @returns whether this call changed anything: false for an export that was cancelled or dropped before, or is gone.
 */
export async function cancelExport (db: Kysely<Database>, id: string, ttlMs: number, by: Actor = {}): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    const event = await cancelUnlessEnded(trx, id, ttlMs) ?? await dropFailed(trx, id)
    if (event === undefined) return false
    await recordExports(trx, event, [id], { by })
    await destroyKeys(trx, [id])
    return true
  })
}

async function cancelUnlessEnded (trx: Transaction<Database>, id: string, ttlMs: number): Promise<'cancelled' | 'deleted' | undefined> {
  const changed = await trx.updateTable('bulk_export_jobs')
    .set({
      status: 'cancelled',
      leased: false,
      ended_at: sql`now()`,
      expires_at: sql`now() + ${ttlMs} * interval '1 ms'`,
      dropped_at: sql`now()`,
    })
    .where('id', '=', id)
    .where('status', 'in', ['pending', 'in_progress', 'completed'])
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    .returning('transaction_time')
    .executeTakeFirst()
  if (changed === undefined) return undefined
  return changed.transaction_time === null ? 'cancelled' : 'deleted' // one that was completed
}

async function dropFailed (trx: Transaction<Database>, id: string): Promise<'deleted' | undefined> {
  const { numUpdatedRows } = await trx.updateTable('bulk_export_jobs')
    .set({ dropped_at: sql`now()` })
    .where('id', '=', id)
    .where('status', '=', 'failed')
    .where('dropped_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n ? 'deleted' : undefined
}
