/** The requests that callers have used up, over all API processes (exports/request-limit.ts). */
export interface BulkExportCallersTable {
  /** As in bulk_export_jobs. */
  requester: string
  /** When all of its requests are available again. */
  full_at: Date
}
