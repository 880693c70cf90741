import type { Generated } from 'kysely'

/**
 * What several workers need to read one attempt. A row is good for as long as its attempt has the export's lease, and is removed
 * some time after that.
 */
export interface BulkExportSnapshotsTable {
  export_id: string
  attempt: number
  /** It is not known before the row is committed: a standby that has the row has replayed everything that was committed before. */
  id: Generated<string>
  /** Which workers may read it: those of the same code and settings (apps/worker). Null: the attempt's own alone. */
  readers: string | null
  task: SharedTask | null
}

/** What is the same for all parts of an attempt; its contents are the worker's own (apps/worker). */
export interface SharedTask { snapshot: object, filter: object, source: object }
