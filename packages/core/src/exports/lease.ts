import { sql, type Kysely, type Transaction } from 'kysely'
import { recordExports } from '../audit/record.ts'
import type { Database } from '../db/database.ts'
import type { ExportRow } from '../db/tables/bulk-export-jobs.ts'
import { ended, fromNow, updateHeld, type Attempt } from './attempt.ts'
import { destroyKeys } from './destroy-keys.ts'
import { summaryColumns, type ExportSummary } from './find.ts'

export interface Progress {
  /** Percent, 0–99. */
  progress: number
  /** Rows in the attempt's snapshot; 0 until they are counted. */
  total_resources: number
  /** Rows dealt with so far, those of the error files among them. */
  exported_resources: number
}

/** `parameters` are read by readStoredParameters. */
export type ClaimedExport = ExportSummary & Pick<ExportRow, 'group_id' | 'parameters' | 'ignored'>

export type Claim =
  | { outcome: 'claimed', export: ClaimedExport }
  /** Another attempt has the lease, or a backoff runs, until `availableAt`. */
  | { outcome: 'busy', availableAt: Date }
  /** There is nothing (more) to do: the export has ended, or is not known. */
  | { outcome: 'over' }

/**
 * Takes an export for a new attempt: one that waits, or whose lease has run out. A lease that ran out counts as a
 * failure; after the last allowed one the export fails here, for no worker may be left to do so.
 */
export async function claimExport (
  db: Kysely<Database>, id: string, options: { leaseMs: number, maxFailures: number, ttlMs: number }
): Promise<Claim> {
  const claimed = await db.transaction().execute(async (trx) => await failAbandoned(trx, id, options)
    ? 'failed'
    : await takeLease(trx, id, options.leaseMs))
  if (claimed === 'failed') return { outcome: 'over' }
  if (claimed !== undefined) return { outcome: 'claimed', export: claimed }

  const found = await db.selectFrom('bulk_export_jobs').select(['status', 'available_at']).where('id', '=', id).executeTakeFirst()
  const isActive = found?.status === 'pending' || found?.status === 'in_progress'
  return isActive ? { outcome: 'busy', availableAt: found.available_at } : { outcome: 'over' }
}

async function failAbandoned (
  trx: Transaction<Database>, id: string, { maxFailures, ttlMs }: { maxFailures: number, ttlMs: number }
): Promise<boolean> {
  const { numUpdatedRows } = await trx.updateTable('bulk_export_jobs')
    .set({
      ...ended('failed', ttlMs),
      failures: sql`failures + 1`,
      failure_reason: sql`coalesce(failure_reason || '; ', '') || 'the worker that ran the last attempt stopped without a word'`,
    })
    .where('id', '=', id)
    .where('status', '=', 'in_progress')
    .where('leased', '=', true)
    .where('available_at', '<', sql<Date>`now()`)
    .where(sql<boolean>`failures + 1 >= ${maxFailures}`)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) return false
  await recordExports(trx, 'failed', [id], { outcome: 'failure' })
  await destroyKeys(trx, [id])
  return true
}

/** Files of earlier attempts are never published: their keys go now, the files by the sweep. */
async function takeLease (trx: Transaction<Database>, id: string, leaseMs: number): Promise<ClaimedExport | undefined> {
  const claimed = await trx.updateTable('bulk_export_jobs')
    .set({
      status: 'in_progress',
      attempt: sql`attempt + 1`,
      failures: sql`failures + leased::int`,
      leased: true,
      available_at: fromNow(leaseMs),
      started_at: sql`coalesce(started_at, now())`,
      progress: 0,
      total_resources: 0,
      exported_resources: 0,
      parameters: sql.ref('parameters'), // tells this claim from those of the version before (migration 1771771013000)
    })
    .where('id', '=', id)
    .where('status', 'in', ['pending', 'in_progress'])
    .where('available_at', '<=', sql<Date>`now()`)
    .returning([...summaryColumns, 'group_id', 'parameters', 'ignored'])
    .executeTakeFirst()
  if (claimed === undefined) return undefined
  await recordExports(trx, 'started', [id])
  if (claimed.attempt > 1) await destroyKeys(trx, [id])
  return claimed
}

/**
 * Renews the lease and tells how far the attempt is.
 * @returns 'held', or why the attempt must stop: the export was 'cancelled', or the attempt is no longer its own ('lost').
 */
export async function renewLease (
  db: Kysely<Database>, attempt: Attempt, leaseMs: number, progress: Progress
): Promise<'held' | 'cancelled' | 'lost'> {
  if (await updateHeld(db, attempt, { available_at: fromNow(leaseMs), ...progress })) return 'held'
  const found = await db.selectFrom('bulk_export_jobs').select('status').where('id', '=', attempt.id).executeTakeFirst()
  return found?.status === 'cancelled' ? 'cancelled' : 'lost'
}

/** For so long a new export is left to its kick-off, whose job goes on with the caller's trace. */
const kickOffMs = 2_000

/** Exports that wait for a worker now: never begun, handed on, after their backoff, or abandoned by a worker that died. */
export async function findWaitingExports (db: Kysely<Database>, limit: number): Promise<string[]> {
  const rows = await db.selectFrom('bulk_export_jobs').select('id')
    .where('status', 'in', ['pending', 'in_progress'])
    .where('available_at', '<=', sql<Date>`now()`)
    .where((eb) => eb.or([eb('attempt', '>', 0), eb('available_at', '<=', fromNow(-kickOffMs))]))
    .orderBy('available_at')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}
