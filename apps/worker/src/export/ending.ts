import { isServiceError } from '@fhir-bulk-export/core/errors'
import { findPostgresFailure, isConnectionBroken } from '@fhir-bulk-export/core/postgres-errors'
import { isStoreFailure } from '@fhir-bulk-export/core/store'
import { Interruption } from '../interruption.ts'
import { isLastingSourceError } from '../source/source-error.ts'

/**
 * The endings of an attempt:
 * done · cancelled (by a client) · interrupted (shut down, or the lease is lost: it is taken up elsewhere) · failed
 * (`permanent`: another attempt would fail in the same way).
 */
export type Ending =
  | { kind: 'done' }
  | { kind: 'cancelled' }
  | { kind: 'interrupted', by: 'lost' | 'shutdown' }
  | { kind: 'failed', permanent: boolean, reason: string, error: unknown }

/** Decided here and nowhere else: our own signal comes first, for after an abort every library fails in a way of its own. */
export function toEnding (signal: AbortSignal, error: unknown): Ending {
  const interruption: unknown = signal.aborted ? signal.reason : error
  if (interruption instanceof Interruption) {
    return interruption.kind === 'cancelled' ? { kind: 'cancelled' } : { kind: 'interrupted', by: interruption.kind }
  }
  return {
    kind: 'failed',
    permanent: isServiceError(error, 'TOO_MANY_ROW_ERRORS', 'SOURCE_MISMATCH', 'GRANT_MISSING') || isLastingSourceError(error),
    reason: toReason(error),
    error,
  }
}

/** For the person who asked for the export: what went wrong in the service's own words, never in those of the data. */
function toReason (error: unknown): string {
  if (isServiceError(error, 'STORE_FULL')) return 'the content store is full'
  if (isStoreFailure(error)) return 'the content store is unavailable'
  if (isServiceError(error)) return error.message
  const failure = findPostgresFailure(error)
  if (failure !== undefined) return `PostgreSQL failed with SQLSTATE ${failure.sqlState}`
  if (isConnectionBroken(error)) return 'the connection to PostgreSQL broke'
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (/^E[A-Z]+$/.test(code)) return `a connection failed with ${code}`
  return 'an unexpected error, see the log of the worker'
}
