import { toStoredPlaintext, type Keyring, type StoredPlaintext } from '@fhir-bulk-export/core/crypto'
import type { Database, FileRow } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { findPublishedFile, type ExportSummary } from '@fhir-bulk-export/core/exports'
import type { Kysely } from 'kysely'
import type { Caller } from '../../auth/caller.ts'
import { assertCovers, getAccessibleExport } from '../export/find-export.ts'

export interface FileServices {
  db: Kysely<Database>
  keyring: Keyring | undefined
  isEncryptionRequired: boolean
}

export interface DownloadableFile {
  exportId: string
  fileName: string
  content: StoredPlaintext
  /** Hex. */
  sha256: string
}

const fileNames = /^[A-Za-z]+\.[0-9]+\.ndjson$/

/**
 * The file of a request's path, decrypted on reading.
 * @throws ServiceError NOT_FOUND, also when the export is not completed; FORBIDDEN: of another caller's export, or of a type that the
 * token's scopes do not cover; KEY_UNUSABLE; UNAVAILABLE: in the clear, and encryption is required.
 */
export async function getFile (
  { db, keyring, isEncryptionRequired }: FileServices, caller: Caller, { jobId, fileName }: { jobId: string, fileName: string }
): Promise<DownloadableFile> {
  const row = await getAccessibleExport(db, caller, jobId)
  const file = row.status === 'completed' && fileNames.test(fileName) ? await findPublishedFile(db, row.id, fileName) : undefined
  if (file !== undefined) assertCovers(caller, toTypes(file, row))
  // The export may have been deleted between the two statements, and the file's key and hash with it.
  if (file?.sha256 == null) throw fileNotFound()
  // With access to the table or the store, an attacker could replace an encrypted file by one in the clear.
  if (file.key_id === null && isEncryptionRequired) {
    throw new ServiceError('UNAVAILABLE', 'The file is not encrypted, and only encrypted files are handed out here')
  }
  const content = toStoredPlaintext(file, keyring)
  if (content === undefined) throw fileNotFound()
  return { exportId: row.id, fileName, content, sha256: file.sha256 }
}

/** Files of the lists `deleted` and `error` may be about all types of the export. */
function toTypes ({ list, type }: FileRow, { types }: ExportSummary): string[] {
  return list === 'output' ? [type] : types
}

export function fileNotFound (): ServiceError {
  return new ServiceError('NOT_FOUND', 'There is no such file, or its export is not completed or was deleted')
}
