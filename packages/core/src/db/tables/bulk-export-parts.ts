import type { ColumnType, Generated } from 'kysely'
import type { PartState } from '../../vocabulary.ts'

/** The parts of an attempt that several workers read (exports/parts.ts). */
export interface BulkExportPartsTable {
  export_id: string
  attempt: number
  n: number
  /** Which rows. */
  part: SharedPart
  state: Generated<PartState>
  /** How often it was taken. Every write of who reads it carries this number. */
  turn: Generated<number>
  /** How often it was taken from a worker that had stopped without a word. */
  losses: Generated<number>
  /** The lease while it is read (database clock). */
  available_at: ColumnType<Date, Date | undefined, Date>
  /** Dealt with so far, in this turn. */
  rows: Generated<number>
  files: Generated<number>
  /** Rows that could not be exported. */
  row_errors: Generated<number>
  /** The last of them: type, element and problem, never an id or content. */
  last_row_error: string | null
  /** Why it failed, without what PostgreSQL says: that may quote a value. */
  failure: PartFailure | null
}

/** Its contents are the worker's own. */
export interface SharedPart { items: object[] }

export interface PartFailure {
  /** Of a ServiceError (errors.ts). */
  error?: string
  message?: string
  /** SQLSTATE, or a system error's: of the error itself, or of its cause. */
  code?: string
}
