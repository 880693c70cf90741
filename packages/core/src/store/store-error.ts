import { ServiceError } from '../errors.ts'
import type { FileKey } from './content-store.ts'

/** Errors of a driver become STORE_FAILED or STORE_FULL; ours stay. `action` names what was tried, never what a file contains. */
export function toStoreError (error: unknown, action: string): ServiceError {
  if (error instanceof ServiceError) return error
  return isFull(error)
    ? new ServiceError('STORE_FULL', `The content store is full: ${action}`, { cause: error })
    : new ServiceError('STORE_FAILED', `The content store failed: ${action}`, { cause: error })
}

/** A local disk has a code for it. A node passes the words of its operating system on, or says that its StorageMax is reached. */
function isFull (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) return true
  return /no space left on device|ENOSPC|quota exceeded|maximum storage limit exceeded/i.test(error.message) || isFull(error.cause)
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
