import type { Generated, Selectable } from 'kysely'
import type { FileList, FileState } from '../../vocabulary.ts'

/**
 * The ledger of what was ever put into the content store. A row is written before the first byte (`intended`), and
 * stays for a day after the pin is gone (`dropped`), so that a pin that turns up late is still known to be ours.
 */
export interface BulkExportFilesTable {
  export_id: string
  attempt: number
  n: number
  state: Generated<FileState>
  list: FileList
  /** Resource type of the lines: `Patient`, …, `OperationOutcome`, `Bundle`. */
  type: string
  /** `<Type>.<n>.ndjson`, `error.<n>.ndjson`, `deleted.<n>.ndjson`: the last part of its address, given when it is published. */
  name: string | null
  /** Of what is stored: of the ciphertext, if the file is encrypted. */
  cid: string | null
  pin: string | null
  /** Bytes of the plaintext. */
  size: number | null
  /** Hex, of the plaintext. Destroyed (null) with the file's key: a guess of the content could be checked by it. */
  sha256: string | null
  /** Lines. */
  count: number | null
  /** The master key that wraps the file's data key. Null: the file is not encrypted. */
  key_id: string | null
  /** The data key, wrapped (crypto/data-key.ts). Null of an encrypted file: destroyed, and the file with it. */
  wrapped_key: Buffer | null
  /** Since it was dropped, garbage collection has been run, or is. */
  collected: Generated<boolean>
  created_at: Generated<Date>
  dropped_at: Date | null
}

export type FileRow = Selectable<BulkExportFilesTable>
