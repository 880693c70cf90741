import type { ColumnType, Generated, Selectable } from 'kysely'
import type { ExportLevel, ExportStatus, Role, WireProfile } from '../../vocabulary.ts'

/** JSON, of any version. */
interface StoredParameters { [name: string]: unknown }

/** One row an export. vocabulary.ts explains states and fences. */
export interface BulkExportJobsTable {
  id: string
  status: Generated<ExportStatus>
  profile: WireProfile
  level: Generated<ExportLevel>
  group_id: string | null
  /** Path and query of the kick-off, as sent. */
  request: string
  requester_role: Role
  /** A hash of issuer, role and caller, which MAX_ACTIVE_EXPORTS limits. */
  requester: string
  issuer: string
  /** Set: only this patient's compartment is exported. Null: all patients', for an ADMIN. */
  patient_id: string | null
  /** May be empty: a lenient kick-off of unsupported types alone exports nothing, never everything. */
  types: string[]
  /** By their names (exports/parameters.ts). */
  parameters: Generated<StoredParameters>
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
  // Of the version before, whose processes may run on during an update: kept by the triggers of migration 1771771013000 alone.
  wire_profile: 'reference-card' | 'respond-async' | 'separate-export-status' | null
  patient_ids: string[] | null
  since: Date | null
  until: Date | null
  elements: Generated<string[]>
  type_filters: Generated<string[]>
  associated_data: Generated<string[]>
}

export type ExportRow = Selectable<BulkExportJobsTable>
