import { sql, type Kysely } from 'kysely'
import type { Database } from '../db/database.ts'
import type { ExportRow } from '../db/tables/bulk-export-jobs.ts'
import type { WireProfile } from '../vocabulary.ts'

export const summaryColumns = [
  'id', 'status', 'profile', 'level', 'request', 'requester_role', 'requester', 'issuer', 'patient_id', 'types', 'created_at', 'started_at',
  'ended_at',
  'expires_at', 'dropped_at', 'transaction_time', 'attempt', 'failures', 'available_at', 'leased', 'progress', 'total_resources',
  'exported_resources', 'failure_reason',
] as const satisfies Array<keyof ExportRow>

/** An export without its parameters: they may be long, and the worker alone reads them. */
export type ExportSummary = Pick<ExportRow, (typeof summaryColumns)[number]>

export function isExportId (text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

/** The export, unless it has expired: an expired one is as good as gone, whether or not the cleanup has been there. */
export async function findExport (db: Kysely<Database>, id: string): Promise<ExportSummary | undefined> {
  return await db.selectFrom('bulk_export_jobs').select(summaryColumns)
    .where('id', '=', id)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    .executeTakeFirst()
}

interface ListOptions {
  limit: number
  /** Exports of these profiles are listed after their DELETE, too. */
  profilesThatListDeleted: WireProfile[]
}

/** Those that a requester started and that can still be asked about, the newest first. */
export async function findExportsOf (
  db: Kysely<Database>, requester: string, { limit, profilesThatListDeleted }: ListOptions
): Promise<ExportSummary[]> {
  return await db.selectFrom('bulk_export_jobs').select(summaryColumns)
    .where('requester', '=', requester)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    .where((eb) => eb.or([eb('dropped_at', 'is', null), eb('profile', 'in', profilesThatListDeleted)]))
    .orderBy('created_at', 'desc').orderBy('id')
    .limit(limit)
    .execute()
}
