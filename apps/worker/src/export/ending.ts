import { isServiceError } from '@fhir-bulk-export/core/errors'
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
  if (isServiceError(error, 'STORE_FAILED', 'STORE_SHORT', 'STORE_CORRUPT', 'STORE_NOT_FOUND')) return 'the content store is unavailable'
  if (isServiceError(error)) return error.message
  const code = toCode(error)
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code)) return `PostgreSQL failed with SQLSTATE ${code}`
  if (code !== undefined && /^E[A-Z]+$/.test(code)) return `a connection failed with ${code}`
  if (error instanceof Error && /^(Connection terminated|Client has encountered a connection error)/.test(error.message)) return 'the connection to PostgreSQL broke'
  return 'an unexpected error, see the log of the worker'
}

function toCode (error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
