/** One row for each assertion that got its client a token, until the assertion expires: no API process takes it again. */
export interface BulkExportClientAssertionsTable {
  client_id: string
  /** Hex, of the assertion's `jti`, which may be of any length. */
  jti_sha256: string
  expires_at: Date
}
