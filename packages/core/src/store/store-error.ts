import { isServiceError, ServiceError } from '../errors.ts'
import type { FileKey } from './content-store.ts'

/** A store's failures are told apart here. A local disk has codes; a Kubo node has nothing but messages, of boxo and go-ipld-format. */

/** The store failed, or does not hold what it should. */
export function isStoreFailure (error: unknown): error is ServiceError {
  return isServiceError(error, 'STORE_FAILED', 'STORE_SHORT', 'STORE_FULL', 'STORE_CORRUPT', 'STORE_NOT_FOUND')
}

/** Errors of a driver become STORE_FAILED or STORE_FULL; ours stay. `action` names what was tried, never what a file contains. */
export function toStoreError (error: unknown, action: string): ServiceError {
  if (error instanceof ServiceError) return error
  return isFull(error)
    ? new ServiceError('STORE_FULL', `The content store is full: ${action}`, { cause: error })
    : new ServiceError('STORE_FAILED', `The content store failed: ${action}`, { cause: error })
}

/** A node passes the words of its operating system on, or says that its StorageMax is reached. */
function isFull (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (hasCode(error, 'ENOSPC', 'EDQUOT')) return true
  return /no space left on device|ENOSPC|quota exceeded|maximum storage limit exceeded/i.test(error.message) || isFull(error.cause)
}

/** The store has no such file. */
export function isMissing (error: unknown): boolean {
  return hasCode(error, 'ENOENT') || (error instanceof Error && /not found|could not find/i.test(error.message))
}

export function isNotPinned (error: unknown): boolean {
  return error instanceof Error && /not pinned/i.test(error.message)
}

function hasCode (error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
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
