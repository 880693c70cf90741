import { sql, type Kysely } from 'kysely'
import type { Database } from '../db/database.ts'
import type { PartFailure, SharedPart } from '../db/tables/bulk-export-parts.ts'
import type { SharedTask } from '../db/tables/bulk-export-snapshots.ts'
import type { Attempt } from './attempt.ts'
import { deleteInBatches } from '../db/batches.ts'

/**
 * An attempt that several workers read. The worker that has the export's lease holds the snapshot, writes the parts down, and
 * publishes; any worker takes parts.
 *
 *   waiting ──take──▶ reading ──finish──▶ read
 *      ▲               │  ▲ │
 *      └───hand back───┘  └─┘ take again: the part's lease ran out
 *
 * Taking a part raises its `turn`, and its reader writes under that number alone. The export's own fence holds for parts as well:
 * all of this changes something only while the attempt has the export's lease, and that is not over.
 */

export interface Turn extends Attempt { n: number, turn: number }
/** What a part turned out to be. */
export interface PartResult { rows: number, files: number, rowErrors: number, lastRowError: string | undefined }

export interface TakenPart extends Turn { reading: number, task: SharedTask, part: SharedPart }

const isLive = sql<boolean>`EXISTS (SELECT FROM bulk_export_jobs AS job
  WHERE job.id = export_id AND job.attempt = bulk_export_parts.attempt AND job.leased AND job.available_at > now())`

/**
 * Writes down that the attempt takes a snapshot.
 * @returns a random id by which a standby is seen to have everything that was committed before; undefined when the attempt is no
 * longer the export's own.
 */
export async function announceSnapshot (db: Kysely<Database>, { id, attempt }: Attempt): Promise<string | undefined> {
  const row = await db.insertInto('bulk_export_snapshots').columns(['export_id', 'attempt'])
    .expression((eb) => eb.selectFrom('bulk_export_jobs').select(['id', 'attempt'])
      .where('id', '=', id).where('attempt', '=', attempt).where('leased', '=', true))
    .returning('id').executeTakeFirst()
  return row?.id
}

/** Lets those who are `readers` read the attempt. Returns false when it is no longer the export's own. */
export async function shareAttempt (
  db: Kysely<Database>, { id, attempt }: Attempt, readers: string, task: SharedTask, parts: SharedPart[]
): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    const isOurs = await trx.selectFrom('bulk_export_jobs').select('id')
      .where('id', '=', id).where('attempt', '=', attempt).where('leased', '=', true).forShare().executeTakeFirst()
    if (isOurs === undefined) return false
    await trx.insertInto('bulk_export_snapshots').values({ export_id: id, attempt, readers, task })
      .onConflict((conflict) => conflict.columns(['export_id', 'attempt']).doUpdateSet({ readers, task }))
      .execute()
    await sql`INSERT INTO bulk_export_parts (export_id, attempt, n, part)
      SELECT ${id}, ${attempt}, n, part
      FROM jsonb_array_elements(${JSON.stringify(parts)}::jsonb) WITH ORDINALITY AS p (part, n)`.execute(trx)
    return true
  })
}

/**
 * A part whose reader dies is read again on the same snapshot, and the attempt goes on; but it may be the part that kills its readers.
 * After so many it is given up.
 */
export const mostLosses = 3

const isLost = sql<boolean>`(p.state = 'reading' AND p.available_at <= now())`

/**
 * Takes a part of the export that has the fewest readers, so that exports share them; of several such exports the next one behind
 * `after`, which the last part was taken of. A part is free when it waits, or when its lease is over. `except`: attempts that cannot be
 * joined from here, as `<export>.<attempt>`.
 */
export async function takePart (
  db: Kysely<Database>,
  { readers, leaseMs, except, after }: { readers: string, leaseMs: number, except: string[], after?: string | undefined }
): Promise<TakenPart | undefined> {
  // Sorted before parts are looked for: no part but the one that is taken is locked, and others take the rest at the same time.
  const { rows: [taken] } = await sql<Turn & { parts: number, task: SharedTask, part: SharedPart }>`
    WITH shared AS (
      SELECT s.export_id, s.attempt, s.task,
        (SELECT count(*) FROM bulk_export_parts AS p WHERE p.export_id = s.export_id AND p.attempt = s.attempt) AS parts,
        (SELECT count(*) FROM bulk_export_parts AS p WHERE p.export_id = s.export_id AND p.attempt = s.attempt
          AND p.state = 'reading' AND p.available_at > now()) AS being_read
      FROM bulk_export_snapshots AS s JOIN bulk_export_jobs AS job ON job.id = s.export_id AND job.attempt = s.attempt
      WHERE s.readers = ${readers} AND job.leased AND job.available_at > now()
        AND NOT s.export_id || '.' || s.attempt = ANY(${except}::text[])
    ), free AS (
      SELECT next.*, waiting.n
      FROM (SELECT * FROM shared ORDER BY being_read, coalesce(export_id <= ${after ?? null}::uuid, false), export_id) AS next
      CROSS JOIN LATERAL (
        SELECT p.n FROM bulk_export_parts AS p
        WHERE p.export_id = next.export_id AND p.attempt = next.attempt
          AND (p.state = 'waiting' OR (${isLost} AND p.losses + 1 < ${mostLosses}))
        ORDER BY p.n LIMIT 1 FOR UPDATE SKIP LOCKED
      ) AS waiting
      LIMIT 1
    )
    UPDATE bulk_export_parts AS p
    SET state = 'reading', turn = turn + 1, losses = losses + (state = 'reading')::int, rows = 0,
      available_at = now() + ${leaseMs} * interval '1 ms'
    FROM free WHERE p.export_id = free.export_id AND p.attempt = free.attempt AND p.n = free.n
    RETURNING p.export_id AS id, p.attempt, p.n, p.turn, p.part, free.task, free.parts`.execute(db)
  if (taken === undefined) return undefined
  const { parts, ...rest } = taken
  return { ...rest, reading: toReading(rest, parts) }
}

/** Each turn of each part has a number of its own; 0 is left to the attempt itself. */
function toReading ({ n, turn }: { n: number, turn: number }, parts: number): number {
  return (turn - 1) * parts + n
}

/** Renews the part's lease and tells how far it is. Returns false when there is nothing to read on for. */
export async function renewPart (db: Kysely<Database>, turn: Turn, leaseMs: number, rows: number): Promise<boolean> {
  return await write(db, turn, sql`available_at = now() + ${leaseMs} * interval '1 ms', rows = ${rows}`)
}

export async function finishPart (db: Kysely<Database>, turn: Turn, result: PartResult): Promise<boolean> {
  const { rows, files, rowErrors, lastRowError } = result
  return await write(db, turn, sql`state = 'read', rows = ${rows}, files = ${files}, row_errors = ${rowErrors},
    last_row_error = ${lastRowError ?? null}`)
}

export async function failPart (db: Kysely<Database>, turn: Turn, failure: PartFailure): Promise<boolean> {
  return await write(db, turn, sql`state = 'failed', failure = ${JSON.stringify(failure)}::jsonb`)
}

/** For another to take up at once. */
export async function handBackPart (db: Kysely<Database>, turn: Turn): Promise<boolean> {
  return await write(db, turn, sql`state = 'waiting'`)
}

async function write (db: Kysely<Database>, { id, attempt, n, turn }: Turn, values: ReturnType<typeof sql>): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`UPDATE bulk_export_parts SET ${values}
    WHERE export_id = ${id} AND attempt = ${attempt} AND n = ${n} AND turn = ${turn} AND state = 'reading' AND ${isLive}`.execute(db)
  return numAffectedRows > 0n
}

/** Of all parts of an attempt together. */
export interface PartsState {
  rows: number
  isRead: boolean
  /** One was lost so often that nobody takes it any more. */
  isGivenUp: boolean
  failure: PartFailure | null
}

export async function readPartsState (db: Kysely<Database>, { id, attempt }: Attempt): Promise<PartsState> {
  const { rows: [state] } = await sql<PartsState>`
    SELECT coalesce(sum(rows), 0)::bigint AS rows, coalesce(bool_and(state = 'read'), false) AS "isRead",
      coalesce(bool_or(${isLost} AND losses + 1 >= ${mostLosses}), false) AS "isGivenUp",
      (array_agg(failure) FILTER (WHERE failure IS NOT NULL))[1] AS failure
    FROM bulk_export_parts AS p WHERE export_id = ${id} AND attempt = ${attempt}`.execute(db)
  if (state === undefined) throw new Error('an aggregate is one row')
  return state
}

/** Of parts that are read, each with the reading that counts: its last one. */
export async function findPartResults (db: Kysely<Database>, { id, attempt }: Attempt): Promise<Array<PartResult & { reading: number }>> {
  const parts = await db.selectFrom('bulk_export_parts').select(['n', 'turn', 'rows', 'files', 'row_errors', 'last_row_error'])
    .where('export_id', '=', id).where('attempt', '=', attempt).where('state', '=', 'read').orderBy('n').execute()
  return parts.map(({ row_errors: rowErrors, last_row_error: lastRowError, rows, files, ...part }) =>
    ({ rows, files, rowErrors, lastRowError: lastRowError ?? undefined, reading: toReading(part, parts.length) }))
}

/** What attempts that are over have left; their parts go with them. */
export async function forgetSnapshots (db: Kysely<Database>): Promise<void> {
  await deleteInBatches(db, sql`bulk_export_snapshots`, sql`NOT EXISTS (SELECT FROM bulk_export_jobs AS job
    WHERE job.id = export_id AND job.attempt = bulk_export_snapshots.attempt AND job.leased)`)
}
