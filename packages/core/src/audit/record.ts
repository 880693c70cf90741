import { sql, type Insertable, type Kysely, type Transaction } from 'kysely'
import type { Database } from '../db/database.ts'
import type { BulkExportAuditTable } from '../db/tables/bulk-export-audit.ts'
import type { AuditEventName, AuditOutcome } from '../vocabulary.ts'

/** The caller of a request. Nothing of it is a token. */
export type Actor = Pick<Insertable<BulkExportAuditTable>,
  'requester' | 'role' | 'issuer' | 'subject' | 'client_id' | 'patient_id' | 'address' | 'request_id'>

/** Texts of a token may be of any length. */
const maxText = 256

const columns = [
  'event', 'outcome', 'process', 'export_id', 'attempt', 'level', 'group_id', 'types', 'requester', 'role', 'issuer', 'subject',
  'client_id', 'patient_id', 'address', 'request_id',
  'file_name', 'bytes', 'detail',
] as const

export async function recordAudit (db: Kysely<Database>, rows: Array<Insertable<BulkExportAuditTable>>): Promise<void> {
  if (rows.length > 0) await db.insertInto('bulk_export_audit').values(rows.map((row) => ({ ...row, ...shorten(row) }))).execute()
}

/**
 * Records changes of exports, in the transaction that makes them and after it has made them. `by` is the API's caller; without it a
 * worker acted on behalf of the requesters.
 */
export async function recordExports (
  trx: Transaction<Database>, event: AuditEventName, ids: readonly string[],
  { by, outcome = 'success' }: { by?: Actor | undefined, outcome?: AuditOutcome } = {}
): Promise<void> {
  if (ids.length === 0) return
  const who = by === undefined
    ? sql`requester, requester_role, issuer, NULL, NULL, patient_id, NULL, NULL`
    : sql`${by.requester}, ${by.role}, ${cut(by.issuer)}, ${cut(by.subject)}, ${cut(by.client_id)}, ${by.patient_id}, ${by.address},
      ${by.request_id}`
  await sql`
    INSERT INTO bulk_export_audit (${sql.join(columns.map((column) => sql.ref(column)))})
    SELECT ${event}, ${outcome}, ${by === undefined ? 'worker' : 'api'}, id, attempt, level, group_id, types, ${who}, NULL, NULL,
      ${event === 'failed' ? sql`failure_reason` : sql`NULL`}
    FROM bulk_export_jobs WHERE id = ANY(${ids}::uuid[])`.execute(trx)
}

/**
 * Records the downloads whose leases it deletes, in the same statement, so that each is recorded once. `bytes`: what the connection
 * took; null: unknown.
 */
export async function recordDownloads (
  db: Kysely<Database>, leases: ReturnType<typeof sql>,
  { bytes, isWhole, detail, process }: { bytes: number | null, isWhole: boolean, detail: string | null, process: 'api' | 'worker' }
): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    WITH ended AS (DELETE FROM bulk_export_downloads WHERE ${leases} RETURNING *)
    INSERT INTO bulk_export_audit (${sql.join(columns.map((column) => sql.ref(column)))})
    SELECT 'downloaded', ${isWhole ? 'success' : 'failure'}, ${process}, e.export_id, NULL, j.level, j.group_id, j.types,
      e.requester, e.role, e.issuer, e.subject, e.client_id, e.patient_id, e.address, e.request_id,
      e.file_name, ${bytes}::bigint, ${detail}
    FROM ended e LEFT JOIN bulk_export_jobs j ON j.id = e.export_id`.execute(db)
  return Number(numAffectedRows)
}

function shorten ({ issuer, subject, client_id: clientId }: Pick<Actor, 'issuer' | 'subject' | 'client_id'>) {
  return { issuer: cut(issuer), subject: cut(subject), client_id: cut(clientId) }
}

function cut (text: string | null | undefined): string | null {
  return text?.slice(0, maxText) ?? null
}
