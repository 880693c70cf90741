import { sql } from 'kysely'
import type { Insertable, Kysely, Transaction } from 'kysely'
import type { Database } from '../db/database.ts'
import type { BulkExportJobsTable, ExportRow } from '../db/tables/bulk-export-jobs.ts'
import { destroyKeys } from './keys.ts'
import { activeStatuses } from './status.ts'

/** What the API does with exports: start, find, cancel. */

export type NewExport = Pick<Insertable<BulkExportJobsTable>,
  'id' | 'wire_profile' | 'level' | 'group_id' | 'request' | 'requester_role' | 'requester' | 'issuer' | 'patient_id' | 'patient_ids' |
  'types' | 'since' | 'until' | 'elements' | 'type_filters' | 'associated_data' | 'ignored'>

/**
 * Writes the export's row unless its requester has `maxActive` exports under way. The count and the insert are one
 * transaction under a lock of the requester's own, so that no number of simultaneous kick-offs gets past the limit.
 */
export async function createExport (db: Kysely<Database>, values: NewExport, maxActive: number): Promise<{ created: boolean }> {
  return await db.transaction().execute(async (trx) => {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`bulk_export_jobs:${values.requester}`}, 0))`.execute(trx)
    const { active } = await trx.selectFrom('bulk_export_jobs')
      .select((eb) => eb.fn.countAll<number>().as('active'))
      .where('requester', '=', values.requester)
      .where('status', 'in', activeStatuses)
      .executeTakeFirstOrThrow()
    if (active >= maxActive) return { created: false }
    await trx.insertInto('bulk_export_jobs').values(values).execute()
    return { created: true }
  })
}

/** The export, unless it has expired: an expired one is as good as gone, whether or not the cleanup has been there. */
export async function findExport (db: Kysely<Database>, id: string): Promise<ExportRow | undefined> {
  return await db.selectFrom('bulk_export_jobs').selectAll()
    .where('id', '=', id)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    .executeTakeFirst()
}

/** Those that a requester started and that can still be asked about, the newest first. */
export async function findExportsOf (db: Kysely<Database>, requester: string, limit: number): Promise<ExportRow[]> {
  return await db.selectFrom('bulk_export_jobs').selectAll()
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
 * @returns whether this call changed anything: false when somebody was there before, or the export is gone.
 */
export async function cancelExport (db: Kysely<Database>, id: string, ttlMs: number): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    const changed = await cancelUnlessEnded(trx, id, ttlMs) || await dropFailed(trx, id)
    if (changed) await destroyKeys(trx, [id])
    return changed
  })
}

async function cancelUnlessEnded (trx: Transaction<Database>, id: string, ttlMs: number): Promise<boolean> {
  const { numUpdatedRows } = await trx.updateTable('bulk_export_jobs')
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
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

async function dropFailed (trx: Transaction<Database>, id: string): Promise<boolean> {
  const { numUpdatedRows } = await trx.updateTable('bulk_export_jobs')
    .set({ dropped_at: sql`now()` })
    .where('id', '=', id)
    .where('status', '=', 'failed')
    .where('dropped_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}
