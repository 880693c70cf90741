import { ServiceError } from '../errors.ts'
import type { FileKey } from './content-store.ts'

/** Errors of a driver become STORE_FAILED; ours stay. `action` names what was tried, never what a file contains. */
export function toStoreError (error: unknown, action: string): ServiceError {
  return error instanceof ServiceError ? error : new ServiceError('STORE_FAILED', `The content store failed: ${action}`, { cause: error })
}

export function shortFile (key: FileKey, expected: number, got: number): ServiceError {
  return new ServiceError('STORE_SHORT', `The content store delivered ${got} of ${expected} bytes of ${key}`)
}

export function longFile (key: FileKey, expected: number): ServiceError {
  return new ServiceError('STORE_FAILED', `The content store has more than the ${expected} bytes of ${key}`)
}

export function missingFile (key: FileKey, cause?: unknown): ServiceError {
  return new ServiceError('STORE_NOT_FOUND', `The content store does not hold ${key}`, { cause })
}
