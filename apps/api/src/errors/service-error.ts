import { isServiceError, ServiceError, type ErrorCode } from '@fhir-bulk-export/core/errors'
import { isDatabaseUnavailable } from '@fhir-bulk-export/core/postgres-errors'
import { isStoreFailure } from '@fhir-bulk-export/core/store'
import { httpErrors } from './http-errors.ts'

/** The codes of unexpected errors. */
export type Unexpected = 'UNEXPECTED' | 'UNAVAILABLE'

/** Errors of the framework, by status. 414 and 403 are addresses that cannot exist: a parameter or a path of a static file is too long. */
const frameworkErrors: Partial<Record<number, ErrorCode>> = {
  403: 'NOT_FOUND',
  404: 'NOT_FOUND',
  408: 'REQUEST_TIMEOUT',
  413: 'PAYLOAD_TOO_LARGE',
  414: 'NOT_FOUND',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  431: 'HEADERS_TOO_LARGE',
}

/** Seconds. */
const unavailableRetryAfter = 5

/** The error that a client is told. An unexpected one has no internals, and the request's id, by which the log has the rest. */
export function toServiceError (error: unknown, { requestId, unexpected }: { requestId: string, unexpected: Unexpected }): ServiceError {
  if (isServiceError(error) && httpErrors[error.code].status < 500) return error
  if (isServiceError(error, 'EXPORT_FAILED')) return error
  if (isServiceError(error, 'UNAVAILABLE')) return toUnavailable(error.message, error)
  if (isServiceError(error, 'SETTING_REFUSED')) return toUnavailable('The database is unavailable', error)
  if (isServiceError(error, 'KEY_UNUSABLE')) return toUnavailable('The file cannot be decrypted here: its key is not configured', error)
  if (isStoreFailure(error)) return toUnavailable('The content store is unavailable', error)
  const status = toStatus(error)
  if (status >= 400 && status < 500) return new ServiceError(frameworkErrors[status] ?? 'MALFORMED_REQUEST', undefined, { cause: error })
  if (isDatabaseUnavailable(error)) return toUnavailable('The database is unavailable', error)
  const text = `An unexpected error; its request id is ${requestId}`
  return unexpected === 'UNAVAILABLE' ? toUnavailable(text, error) : new ServiceError('UNEXPECTED', text, { cause: error })
}

function toUnavailable (text: string, cause: unknown): ServiceError {
  const retryAfter = isServiceError(cause) ? cause.retryAfter : undefined
  return new ServiceError('UNAVAILABLE', text, { cause, retryAfter: retryAfter ?? unavailableRetryAfter })
}

function toStatus (error: unknown): number {
  return error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 0
}
