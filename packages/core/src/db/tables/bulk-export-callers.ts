/** What the callers that ask much have used up of their requests, for all API processes together (exports/request-limit.ts). */
export interface BulkExportCallersTable {
  /** As in bulk_export_jobs. */
  requester: string
  /** When nothing of its requests will be used up any more. */
  full_at: Date
}
