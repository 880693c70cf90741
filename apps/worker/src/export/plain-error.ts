import { isServiceError, ServiceError, type ErrorCode } from '@fhir-bulk-export/core/errors'
import { Interruption } from '../interruption.ts'

/** An error as it crosses a thread boundary: what endings are decided by, and what the log tells. */
export type PlainError =
  | { kind: 'interruption', interruption: Interruption['kind'] }
  | { kind: 'service', code: ErrorCode, message: string, cause: PlainError | undefined }
  | { kind: 'other', code: string | undefined, message: string, stack: string | undefined }

export function toPlainError (error: unknown): PlainError {
  if (error instanceof Interruption) return { kind: 'interruption', interruption: error.kind }
  if (isServiceError(error)) {
    return {
      kind: 'service', code: error.code, message: error.message,
      cause: error.cause === undefined ? undefined : toPlainError(error.cause)
    }
  }
  if (!(error instanceof Error)) return { kind: 'other', code: undefined, message: String(error), stack: undefined }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return { kind: 'other', code, message: error.message, stack: error.stack }
}

export function fromPlainError (plain: PlainError): Error {
  switch (plain.kind) {
    case 'interruption':
      return new Interruption(plain.interruption)
    case 'service':
      return new ServiceError(plain.code, plain.message, { cause: plain.cause === undefined ? undefined : fromPlainError(plain.cause) })
    case 'other': {
      const error = new Error(plain.message)
      if (plain.stack !== undefined) error.stack = plain.stack
      return plain.code === undefined ? error : Object.assign(error, { code: plain.code })
    }
  }
}
