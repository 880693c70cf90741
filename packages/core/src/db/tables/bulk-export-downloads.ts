import type { Role } from '../../vocabulary.ts'

/** One row a running download: while its lease holds, the export's files are not dropped. */
export interface BulkExportDownloadsTable {
  id: string
  export_id: string
  lease_until: Date
  /** What is downloaded, and by whom: for the audit, when it ends. */
  file_name: string | null
  requester: string | null
  role: Role | null
  issuer: string | null
  subject: string | null
  client_id: string | null
  patient_id: string | null
  address: string | null
  request_id: string | null
}
