/** One row an assertion that got its client a token, until the assertion expires: nobody can use it again, at any API process. */
export interface BulkExportClientAssertionsTable {
  client_id: string
  /** Hex, of the assertion's `jti`, which may be of any length. */
  jti_sha256: string
  expires_at: Date
}
