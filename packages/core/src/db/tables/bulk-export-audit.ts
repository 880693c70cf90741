import type { Generated, Selectable } from 'kysely'
import type { AuditEventName, AuditOutcome, AuditProcess, ExportLevel, Role } from '../../vocabulary.ts'

/**
 * Who did what (audit/). Rows are only added, outlive the export, and hold no clinical content. A patient's id is only in rows of callers
 * that may see that patient alone.
 */
export interface BulkExportAuditTable {
  id: Generated<string>
  /** When the transaction began that made the change. */
  recorded_at: Generated<Date>
  event: AuditEventName
  outcome: AuditOutcome
  process: AuditProcess
  export_id: string | null
  attempt: number | null
  level: ExportLevel | null
  group_id: string | null
  types: string[] | null
  /** As in bulk_export_jobs. Of a worker's events: the requester on whose behalf it acted. */
  requester: string | null
  role: Role | null
  issuer: string | null
  subject: string | null
  client_id: string | null
  patient_id: string | null
  /** Where the request came from: the peer of its connection. */
  address: string | null
  request_id: string | null
  /** Of a download. */
  file_name: string | null
  /** Of a download: what was handed to the connection, of the file's plaintext. Null: the process that sent it has ended. */
  bytes: number | null
  /** Of refusals: the HTTP status, and how many there were in the minute from `since`. */
  status: number | null
  count: number | null
  since: Date | null
  /** For a person. */
  detail: string | null
}

export type AuditRow = Selectable<BulkExportAuditTable>
