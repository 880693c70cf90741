import type { KeyObject } from 'node:crypto'
import type { FileRow } from '../db/tables/bulk-export-files.ts'
import type { ByteRange, CallOptions, ContentStore, FileHandle } from '../store/content-store.ts'
import { toFileKey } from '../store/file-key.ts'
import { unwrapDataKey } from './data-key.ts'
import { decrypt, toCiphertextRange } from './decrypt.ts'
import type { Keyring } from './keyring.ts'
import { toCiphertextSize } from './layout.ts'

export interface StoredPlaintext {
  handle: FileHandle
  /** Of the plaintext. */
  size: number
  read: (store: ContentStore, range?: ByteRange, options?: CallOptions) => AsyncIterable<Uint8Array>
}

/**
 * The plaintext of a file of the ledger. Its data key is in memory: later changes of the row do not matter.
 * Undefined for a file whose key was destroyed.
 * @throws ServiceError KEY_UNUSABLE; Error when the file was not stored (yet).
 */
export function toStoredPlaintext (row: FileRow, keyring: Keyring | undefined): StoredPlaintext | undefined {
  const { cid, pin, size, key_id: keyId, wrapped_key: wrapped } = row
  if (cid === null || size === null) throw new Error('a stored file is known whole')
  const at = { key: toFileKey(row), cid, pin }
  if (keyId === null) {
    const handle = { ...at, size }
    return { handle, size, read: (store, range, options) => store.read(handle, range, options) }
  }
  if (wrapped === null) return undefined
  const dataKey = unwrapDataKey(keyring, row, { key_id: keyId, wrapped_key: wrapped }, size)
  return toEncrypted(row, { ...at, size: toCiphertextSize(size) }, dataKey, size)
}

function toEncrypted (file: FileRow, handle: FileHandle, dataKey: KeyObject, size: number): StoredPlaintext {
  return {
    handle,
    size,
    read: (store, range, options) => decrypt(store.read(handle, toCiphertextRange(size, range), options), { file, dataKey, size }, range),
  }
}
