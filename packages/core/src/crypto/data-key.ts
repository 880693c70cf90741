import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import { toFileKey, type FileRef } from '../store/file-key.ts'
import { findMasterKey, type Keyring, type MasterKey } from './keyring.ts'
import { cipherName, TAG_BYTES } from './layout.ts'

/** As the ledger keeps it: nonce, encrypted key, tag. */
export interface WrappedKey { key_id: string, wrapped_key: Buffer }

const KEY_BYTES = 32
const NONCE_BYTES = 12

/** The key of one file of one attempt. It leaves this process wrapped, or not at all. */
export function createDataKey (): KeyObject {
  return toKey(randomBytes(KEY_BYTES))
}

/** `size`: bytes of the plaintext. It is authenticated, and says which chunk is the last: a range read never sees that one's flag. */
export function wrapDataKey (dataKey: KeyObject, { id, key }: MasterKey, file: FileRef, size: number): WrappedKey {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(cipherName, key, nonce, { authTagLength: TAG_BYTES }).setAAD(toWrapAad(file, id, size))
  return { key_id: id, wrapped_key: Buffer.concat([nonce, cipher.update(dataKey.export()), cipher.final(), cipher.getAuthTag()]) }
}

/**
 * @throws ServiceError KEY_UNUSABLE, naming the key's id: it is not configured, or another key is configured under that id, or
 * the ledger's row was changed.
 */
export function unwrapDataKey (
  keyring: Keyring | undefined, file: FileRef, { key_id: id, wrapped_key: wrapped }: WrappedKey, size: number
): KeyObject {
  const master = keyring === undefined ? undefined : findMasterKey(keyring, id)
  if (master === undefined) {
    throw new ServiceError('KEY_UNUSABLE', `The file is encrypted under the key ${id}, which is not configured here`)
  }
  try {
    const decipher = createDecipheriv(cipherName, master.key, wrapped.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(toWrapAad(file, id, size))
      .setAuthTag(wrapped.subarray(-TAG_BYTES))
    return toKey(Buffer.concat([decipher.update(wrapped.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]))
  } catch (cause) {
    throw new ServiceError('KEY_UNUSABLE', `The data key of ${toFileKey(file)} is not one that the configured key ${id} has wrapped`,
      { cause })
  }
}

function toWrapAad ({ export_id: exportId, attempt, n }: FileRef, keyId: string, size: number): Buffer {
  return Buffer.from(JSON.stringify(['fhir-bulk-export data key', exportId, attempt, n, keyId, size]))
}

function toKey (bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}
