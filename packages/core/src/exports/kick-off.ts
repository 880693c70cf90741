import { randomUUID } from 'node:crypto'
import { sql, type Insertable, type Kysely } from 'kysely'
import { recordExports, type Actor } from '../audit/record.ts'
import type { Database } from '../db/database.ts'
import type { BulkExportJobsTable } from '../db/tables/bulk-export-jobs.ts'
import { activeStatuses } from '../vocabulary.ts'
import type { ExportParameters } from './parameters.ts'

export type NewExport = Pick<Insertable<BulkExportJobsTable>,
  'id' | 'profile' | 'level' | 'group_id' | 'request' | 'requester_role' | 'requester' | 'issuer' | 'patient_id' | 'types' | 'ignored'> &
  { parameters?: ExportParameters }

/** Of one requester: exports under way, and kick-offs that are accepted in any minute. */
export interface KickOffLimits { maxActive: number, maxPerMinute: number }

/** Above which limit a requester is; `retryAfter`: seconds until the oldest kick-off of the minute does not count any more. */
export type KickOffExcess = { limit: 'active' } | { limit: 'minute', retryAfter: number }

/**
 * Writes the export's row unless its requester is at one of the limits. The count and the insert are one transaction under a
 * lock of the requester's own, so that no number of simultaneous kick-offs gets past the limit, at any number of processes.
 */
export async function createExport (
  db: Kysely<Database>, values: NewExport, limits: KickOffLimits, from: Origin = nowhere
): Promise<{ created: true } | { created: false, excess: KickOffExcess }> {
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

/** One statement over two indexes. A deleted export counts as a kick-off of its minute, too: to delete it makes no room. */
export async function findKickOffExcess (
  db: Kysely<Database>, requester: string, { maxActive, maxPerMinute }: KickOffLimits
): Promise<KickOffExcess | undefined> {
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

/**
 * Writes what a kick-off writes, and takes it back: a database may answer and take no writes.
 * @throws what PostgreSQL says.
 */
export async function assertAcceptsExports (db: Kysely<Database>): Promise<void> {
  const trx = await db.startTransaction().execute()
  try {
    await trx.insertInto('bulk_export_jobs')
      .values({ id: randomUUID(), profile: 'status-in-body', request: '', requester_role: 'ADMIN', requester: '', issuer: '', types: [] })
      .execute()
  } finally {
    await trx.rollback().execute()
  }
}
