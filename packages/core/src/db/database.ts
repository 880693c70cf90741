import type { BulkExportAuditTable } from './tables/bulk-export-audit.ts'
import type { BulkExportCallersTable } from './tables/bulk-export-callers.ts'
import type { BulkExportClientAssertionsTable } from './tables/bulk-export-client-assertions.ts'
import type { BulkExportClientsTable } from './tables/bulk-export-clients.ts'
import type { BulkExportDownloadsTable } from './tables/bulk-export-downloads.ts'
import type { BulkExportFilesTable } from './tables/bulk-export-files.ts'
import type { BulkExportJobsTable } from './tables/bulk-export-jobs.ts'
import type { BulkExportPartsTable } from './tables/bulk-export-parts.ts'
import type { BulkExportSnapshotsTable } from './tables/bulk-export-snapshots.ts'
import type { BulkExportWorkersTable } from './tables/bulk-export-workers.ts'

/** The service's own tables. The source is not among them: it may be views that a site made. */
export interface Database {
  bulk_export_jobs: BulkExportJobsTable
  bulk_export_files: BulkExportFilesTable
  bulk_export_snapshots: BulkExportSnapshotsTable
  bulk_export_parts: BulkExportPartsTable
  bulk_export_downloads: BulkExportDownloadsTable
  bulk_export_callers: BulkExportCallersTable
  bulk_export_workers: BulkExportWorkersTable
  bulk_export_clients: BulkExportClientsTable
  bulk_export_client_assertions: BulkExportClientAssertionsTable
  bulk_export_audit: BulkExportAuditTable
}
