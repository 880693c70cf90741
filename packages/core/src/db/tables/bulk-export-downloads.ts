/** One row a running download: while its lease holds, the export's files are not dropped. */
export interface BulkExportDownloadsTable {
  id: string
  export_id: string
  lease_until: Date
}
