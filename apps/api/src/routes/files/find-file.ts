import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { findPublishedFile } from '@fhir-bulk-export/core/exports'
import { toFileKey } from '@fhir-bulk-export/core/store'
import type { FileHandle } from '@fhir-bulk-export/core/store'
import type { Kysely } from 'kysely'
import type { Caller } from '../../auth/caller.ts'
import { getExport } from '../export/find-export.ts'

export interface DownloadableFile {
  exportId: string
  handle: FileHandle
  /** Hex. */
  sha256: string
}

const fileNames = /^[A-Za-z]+\.[0-9]+\.ndjson$/

/**
 * The file of a request's path.
 * @throws ServiceError NOT_FOUND, also where the export is not completed (yet, or any more); FORBIDDEN: of somebody else's export.
 */
export async function getFile (db: Kysely<Database>, caller: Caller, { jobId, fileName }: { jobId: string, fileName: string }): Promise<DownloadableFile> {
  const row = await getExport(db, caller, jobId)
  const file = row.status === 'completed' && fileNames.test(fileName) ? await findPublishedFile(db, row.id, fileName) : undefined
  if (file === undefined) throw fileNotFound()
  const { cid, pin, size, sha256 } = file
  if (cid === null || size === null || sha256 === null) throw new Error('a published file is known whole')
  return { exportId: row.id, handle: { key: toFileKey(file), cid, pin, size }, sha256 }
}

export function fileNotFound (): ServiceError {
  return new ServiceError('NOT_FOUND', 'There is no such file, or its export is not completed or was deleted')
}
