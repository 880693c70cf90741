import type { ColumnType, Generated } from 'kysely'

/** One row a worker that runs, or did within the last day. */
export interface BulkExportWorkersTable {
  /** Of the process: a worker that starts anew is another one. */
  id: string
  host: string
  /** The exports whose attempts it runs. */
  running: Generated<string[]>
  started_at: Generated<Date>
  /** Its last heartbeat, on the database's clock. */
  seen_at: ColumnType<Date, Date | undefined, Date>
}
