import { pino, type Logger } from 'pino'
import { isServiceError } from './errors.ts'
import { isQuotingValues } from './postgres-errors.ts'

export type { Logger }

/**
 * JSON lines on standard output. Health data stays out by rule, not by redaction: code logs ids, counts and codes only.
 * Fields that could carry a secret by accident are cut here: headers of requests, connection strings, and the values that
 * PostgreSQL quotes in an error's `detail`, `where` and `hint`.
 */
export function createLog (name: string, level: string): Logger {
  return pino({ name, level, serializers: { err: toLoggedError } })
}

/** One line for what keeps a process from starting: a problem each, with the name of its variable, or the error. */
export function logStartFailure (log: Logger, error: unknown): void {
  log.fatal(isServiceError(error) ? { code: error.code, problems: error.message.split('\n') } : { err: error }, 'cannot start')
}

function toLoggedError (error: unknown): unknown {
  if (!(error instanceof Error)) return { message: typeof error }
  const { name, message, stack } = error
  const code = 'code' in error ? String(error.code) : undefined
  const isQuoting = isQuotingValues(error)
  return {
    name,
    code,
    message: isQuoting ? `PostgreSQL error ${code}` : message,
    stack: isQuoting ? undefined : stack,
    cause: error.cause === undefined ? undefined : toLoggedError(error.cause),
  }
}
