import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { findExport, isExportId, type ExportSummary } from '@fhir-bulk-export/core/exports'
import type { Kysely } from 'kysely'
import { canAccess, coversTypes } from '../../auth/access.ts'
import type { Caller } from '../../auth/caller.ts'

/**
 * The export of a request's path, for a token whose scopes cover all of its types.
 * @throws ServiceError NOT_FOUND: unknown, expired or no UUID; FORBIDDEN: of another caller, or of types that the scopes do not cover.
 */
export async function getCoveredExport (db: Kysely<Database>, caller: Caller, id: string): Promise<ExportSummary> {
  const row = await getAccessibleExport(db, caller, id)
  assertCovers(caller, row.types)
  return row
}

/**
 * The same for a file of an export: the scopes have to cover the file's types alone (assertCovers).
 * @throws ServiceError NOT_FOUND, FORBIDDEN
 */
export async function getAccessibleExport (db: Kysely<Database>, caller: Caller, id: string): Promise<ExportSummary> {
  const row = isExportId(id) ? await findExport(db, id) : undefined
  if (row === undefined) throw new ServiceError('NOT_FOUND', 'There is no such export, or it has expired')
  if (!canAccess(caller, row)) throw new ServiceError('FORBIDDEN', 'The export was started by another caller')
  return row
}

/** @throws ServiceError FORBIDDEN */
export function assertCovers (caller: Caller, types: ExportSummary['types']): void {
  if (!coversTypes(caller, types)) throw new ServiceError('FORBIDDEN', `The scopes of the bearer token do not cover ${types.join(', ')}`)
}
