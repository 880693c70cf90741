import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Insertable, Kysely, Transaction } from 'kysely'
import { recordExports } from '../audit/record.ts'
import type { Actor } from '../audit/record.ts'
import type { Database } from '../db/database.ts'
import type { BulkExportJobsTable, ExportRow } from '../db/tables/bulk-export-jobs.ts'
import { destroyKeys } from './keys.ts'
import { activeStatuses } from './status.ts'

/** What the API does with exports: start, find, cancel. */

export type NewExport = Pick<Insertable<BulkExportJobsTable>,
  'id' | 'wire_profile' | 'level' | 'group_id' | 'request' | 'requester_role' | 'requester' | 'issuer' | 'patient_id' | 'patient_ids' |
  'types' | 'since' | 'until' | 'elements' | 'type_filters' | 'associated_data' | 'ignored'>

/** Of one requester: exports under way, and kick-offs that are accepted in any minute. */
export interface KickOffLimits { maxActive: number, maxPerMinute: number }

/** Above which limit a requester is; `retryAfter`: seconds until the oldest kick-off of the minute does not count any more. */
export type KickOffExcess = { limit: 'active' } | { limit: 'minute', retryAfter: number }

/**
 * Writes the export's row unless its requester is at one of the limits. The count and the insert are one transaction under a
 * lock of the requester's own, so that no number of simultaneous kick-offs gets past the limit, at any number of processes.
 */
export async function createExport (db: Kysely<Database>, values: NewExport, limits: KickOffLimits, from: Origin = nowhere): Promise<{ created: true } | { created: false, excess: KickOffExcess }> {
  return await db.transaction().execute(async (trx) => {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`bulk_export_jobs:${values.requester}`}, 0))`.execute(trx)
    const excess = await findKickOffExcess(trx, values.requester, limits)
    if (excess !== undefined) return { created: false, excess }
    await trx.insertInto('bulk_export_jobs').values(values).execute()
    const { requester, requester_role: role, issuer, patient_id: patientId } = values
    await recordExports(trx, 'requested', [values.id], { by: { ...from, requester, role, issuer, patient_id: patientId ?? null } })
    return { created: true }
  })
}

/** What an export's row does not hold of who asked for it. */
type Origin = Pick<Actor, 'subject' | 'client_id' | 'address' | 'request_id'>
const nowhere: Origin = {}

/** One statement over two indexes. An export counts as a kick-off of its minute whatever became of it: to delete it makes no room. */
export async function findKickOffExcess (db: Kysely<Database>, requester: string, { maxActive, maxPerMinute }: KickOffLimits): Promise<KickOffExcess | undefined> {
  const { rows: [found] } = await sql<{ active: number, lately: number, retry_after: number | null }>`
    SELECT
      (SELECT count(*) FROM bulk_export_jobs WHERE requester = ${requester} AND status = ANY(${activeStatuses})) AS active,
      count(*) AS lately,
      ceil(extract(epoch FROM min(created_at) + interval '1 minute' - now()))::integer AS retry_after
    FROM (
      SELECT created_at FROM bulk_export_jobs WHERE requester = ${requester} AND created_at > now() - interval '1 minute'
      ORDER BY created_at DESC LIMIT ${maxPerMinute}
    ) AS kick_offs`.execute(db)
  if (found === undefined) throw new Error('an aggregate is one row')
  if (found.active >= maxActive) return { limit: 'active' }
  return found.lately < maxPerMinute ? undefined : { limit: 'minute', retryAfter: Math.max(1, found.retry_after ?? 1) }
}

const summaryColumns = [
  'id', 'status', 'wire_profile', 'level', 'request', 'requester_role', 'requester', 'issuer', 'patient_id', 'types', 'created_at', 'started_at', 'ended_at',
  'expires_at', 'dropped_at', 'transaction_time', 'attempt', 'failures', 'available_at', 'leased', 'progress', 'total_resources', 'exported_resources', 'failure_reason',
] as const satisfies Array<keyof ExportRow>

/** An export without the lists that its caller sent: they may be long, and nobody but the worker reads them. */
export type ExportSummary = Pick<ExportRow, (typeof summaryColumns)[number]>

/**
 * Writes what a kick-off writes, and takes it back: a database may answer and take no writes.
 * @throws what PostgreSQL says.
 */
export async function assertAcceptsExports (db: Kysely<Database>): Promise<void> {
  const trx = await db.startTransaction().execute()
  try {
    await trx.insertInto('bulk_export_jobs')
      .values({ id: randomUUID(), wire_profile: 'reference-card', request: '', requester_role: 'ADMIN', requester: '', issuer: '', types: [] })
      .execute()
  } finally {
    await trx.rollback().execute()
  }
}

/** The export, unless it has expired: an expired one is as good as gone, whether or not the cleanup has been there. */
export async function findExport (db: Kysely<Database>, id: string): Promise<ExportSummary | undefined> {
  return await db.selectFrom('bulk_export_jobs').select(summaryColumns)
    .where('id', '=', id)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    .executeTakeFirst()
}

/** Those that a requester started and that can still be asked about, the newest first. */
export async function findExportsOf (db: Kysely<Database>, requester: string, limit: number): Promise<ExportSummary[]> {
  return await db.selectFrom('bulk_export_jobs').select(summaryColumns)
    .where('requester', '=', requester)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    // Bulk Data 3.0.0, Bulk Data Delete Request: a deleted export's status is a 404; the reference card has it as cancelled.
    .where((eb) => eb.or([eb('dropped_at', 'is', null), eb('wire_profile', '=', 'reference-card')]))
    .orderBy('created_at', 'desc').orderBy('id')
    .limit(limit)
    .execute()
}

/**
 * Cancels what is under way or completed; a failed export stays failed and is marked dropped. From the same moment nobody can
 * read its encrypted files, its files may go, and the attempt that runs it (if any) is refused every further write.
 * `by` whom is written down.
 * @returns whether this call changed anything: false when somebody was there before, or the export is gone.
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
