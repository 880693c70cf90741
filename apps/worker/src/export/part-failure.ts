import { isErrorCode, isServiceError, ServiceError } from '@fhir-bulk-export/core/errors'
import type { PartFailure } from '@fhir-bulk-export/core/db'

/** What another worker is told of an error: all that endings are decided by, and no message but the service's own. */
export function toPartFailure (error: unknown): PartFailure {
  const code = toCode(error) ?? toCode(error instanceof Error ? error.cause : undefined)
  return { ...(isServiceError(error) ? { error: error.code, message: error.message } : {}), ...(code === undefined ? {} : { code }) }
}

export function fromPartFailure ({ error, message, code }: PartFailure): Error {
  const unexpected = new Error('a part could not be read, see the log of the worker that read it')
  const own = code === undefined ? unexpected : Object.assign(unexpected, { code })
  return error !== undefined && isErrorCode(error) ? new ServiceError(error, message, { cause: own }) : own
}

function toCode (error: unknown): string | undefined {
  return error instanceof Error && !isServiceError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
