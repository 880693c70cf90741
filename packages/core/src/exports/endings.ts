import { sql, type Kysely, type Transaction, type UpdateObject } from 'kysely'
import { recordExports } from '../audit/record.ts'
import type { Database } from '../db/database.ts'
import { ended, fromNow, updateHeld, type Attempt } from './attempt.ts'
import { destroyKeys } from './destroy-keys.ts'
import type { Progress } from './lease.ts'
import { filesPerReading } from './ledger.ts'

/** Hands the export on at once, at no cost to its failures: the worker is shutting down. Returns whether it was still ours. */
export async function handOnExport (db: Kysely<Database>, attempt: Attempt): Promise<boolean> {
  return await giveUp(db, attempt, { leased: false, available_at: sql`now()` })
}

/** The attempt went wrong and another may do better after `backoffMs`. */
export async function retryExport (db: Kysely<Database>, attempt: Attempt, reason: string, backoffMs: number): Promise<boolean> {
  return await giveUp(db, attempt, {
    leased: false, failures: sql`failures + 1`, failure_reason: reason, available_at: fromNow(backoffMs),
  })
}

export async function failExport (db: Kysely<Database>, attempt: Attempt, reason: string, ttlMs: number): Promise<boolean> {
  return await giveUp(db, attempt, { ...ended('failed', ttlMs), failures: sql`failures + 1`, failure_reason: reason }, async (trx) => {
    await recordExports(trx, 'failed', [attempt.id], { outcome: 'failure' })
  })
}

/**
 * Publishes the attempt's files and completes the export, in one transaction that holds the export's row.
 * @returns false when the attempt is no longer the export's own: nothing was changed.
 * Only files of these readings count (ledger.ts; default: the attempt's own): a part that was read twice has files of both.
 * @throws when the ledger does not hold exactly `files` stored files of them.
 */
export async function publishExport (
  db: Kysely<Database>, attempt: Attempt,
  result: { files: number, readings?: number[], transactionTime: Date, ttlMs: number, progress: Progress }
): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    const completed = await updateHeld(trx, attempt, {
      ...ended('completed', result.ttlMs),
      ...result.progress,
      progress: 100,
      transaction_time: result.transactionTime,
      failure_reason: null,
    })
    if (!completed) return false
    await recordExports(trx, 'completed', [attempt.id])
    const published = await publishFiles(trx, attempt, result.readings ?? [0])
    if (published !== result.files) {
      throw new Error(`the ledger holds ${published} stored files of attempt ${attempt.attempt}, the attempt wrote ${result.files}`)
    }
    return true
  })
}

/** `n` is in order and has gaps, since several readers number their files at once; names count from 1. */
async function publishFiles (trx: Transaction<Database>, { id, attempt }: Attempt, readings: number[]): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    UPDATE bulk_export_files AS file SET state = 'published', name = named.name
    FROM (
      SELECT n,
        CASE list WHEN 'output' THEN type ELSE list END || '.'
          || row_number() OVER (PARTITION BY list, type ORDER BY n) || '.ndjson' AS name
      FROM bulk_export_files WHERE export_id = ${id} AND attempt = ${attempt} AND state = 'stored'
        AND n / ${filesPerReading} = ANY(${readings}::integer[])
    ) AS named
    WHERE file.export_id = ${id} AND file.attempt = ${attempt} AND file.n = named.n`.execute(trx)
  return Number(numAffectedRows)
}

/** The attempt ends and publishes nothing: the keys of what it has stored go with it. */
async function giveUp (db: Kysely<Database>, attempt: Attempt, values: UpdateObject<Database, 'bulk_export_jobs'>, record: (
  trx: Transaction<Database>
) => Promise<void> = async () => {}): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    const isOurs = await updateHeld(trx, attempt, values)
    if (!isOurs) return false
    await record(trx)
    await destroyKeys(trx, [attempt.id])
    return true
  })
}
