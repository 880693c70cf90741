import type { ColumnType, Generated, Selectable } from 'kysely'
import type { ExportLevel, ExportStatus, Role, WireProfile } from '../../vocabulary.ts'

/** One row an export. What the states and the fences mean is told in vocabulary.ts. */
export interface BulkExportJobsTable {
  id: string
  status: Generated<ExportStatus>
  wire_profile: WireProfile
  level: Generated<ExportLevel>
  group_id: string | null
  /** Path and query of the kick-off, as sent. */
  request: string
  requester_role: Role
  /** Who is counted against MAX_ACTIVE_EXPORTS: a hash of issuer, role and caller. */
  requester: string
  issuer: string
  /** Set: only this patient's compartment is exported. Null: everybody's, for an ADMIN. */
  patient_id: string | null
  /** The `patient` parameter: only these compartments, among those that the export may hold at all. Null: not given. Empty: none. */
  patient_ids: string[] | null
  /** May be empty: a lenient kick-off of unsupported types alone exports nothing, never everything. */
  types: string[]
  /** To the microsecond; as a Date to the millisecond alone. */
  since: ColumnType<Date | null, Date | string | null | undefined>
  until: ColumnType<Date | null, Date | string | null | undefined>
  /** `_elements`, as `element` or `Type.element`. */
  elements: Generated<string[]>
  /** `_typeFilter`, each `Type?parameter=value&…`; checked at kick-off. */
  type_filters: Generated<string[]>
  /** `includeAssociatedData`. */
  associated_data: Generated<string[]>
  /** What a lenient kick-off ignored, a sentence each: a line in the error list. Never holds health data. */
  ignored: Generated<string[]>
  created_at: Generated<Date>
  started_at: Date | null
  ended_at: Date | null
  expires_at: Date | null
  /** From here on its files may go: it expired or a client deleted it. Set once, never taken back. */
  dropped_at: Date | null
  transaction_time: Date | null
  attempt: Generated<number>
  failures: Generated<number>
  /** The lease while an attempt runs, the backoff while none does (database clock). */
  available_at: ColumnType<Date, Date | undefined, Date>
  /** An attempt holds the lease. False in between attempts: then `available_at` is a backoff. */
  leased: Generated<boolean>
  /** Percent; 0–99 while running. */
  progress: Generated<number>
  /** Counted in the attempt's snapshot; 0 until then. */
  total_resources: Generated<number>
  /** Rows dealt with so far. */
  exported_resources: Generated<number>
  /** For a person: why the export failed, or why its last attempt did. Never holds health data. */
  failure_reason: string | null
}

export type ExportRow = Selectable<BulkExportJobsTable>
