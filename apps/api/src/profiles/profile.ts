import type { FileRow } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { ExportSummary, Manifest } from '@fhir-bulk-export/core/exports'
import type { Outcome } from '../errors/outcome.ts'
import type { Progress } from './status-schema.ts'

export interface StatusAnswer {
  code: 200 | 202
  headers: Record<string, string>
  body: Progress | Manifest | Outcome
}

/** An export and what its answers are made of. */
export interface ExportState {
  row: ExportSummary
  /** Published files of a completed export. */
  files: FileRow[]
  publicUrl: string
  gatewayUrl?: string | undefined
  /** Milliseconds for which no worker has been seen, while the export waits for one; null: none ever was. */
  workerSilenceMs?: number | null
  now: Date
}

/** A wire profile: how the API talks about an export from its kick-off on (apps/api/README.md, Wire profiles). */
export interface Profile {
  /** The members of Prefer that choose the profile. */
  prefer: readonly string[]
  /** Bulk Data 3.0.0, Bulk Data Status Request. A ServiceError that is thrown is the answer. */
  running: (state: ExportState) => StatusAnswer
  completed: (state: ExportState) => StatusAnswer
  failed: (state: ExportState) => StatusAnswer
  cancelled: (state: ExportState) => StatusAnswer
  /** The status code for DELETE. `isFirst`: this request deleted the export. A ServiceError that is thrown is the answer. */
  deleted: (isFirst: boolean) => 202 | 204
  /** The list of a caller's exports holds deleted ones. */
  listsDeleted: boolean
}

/** Bulk Data 3.0.0, Bulk Data Delete Request: requests after it get a 404. */
export function toDeletedError (): ServiceError {
  return new ServiceError('NOT_FOUND', 'The export was deleted')
}

export function toFailure ({ failure_reason: reason }: ExportSummary): ServiceError {
  return new ServiceError('EXPORT_FAILED', reason ?? undefined)
}
