import type { FileRef } from '../store/file-key.ts'

/**
 * How a file is encrypted: AES-256-GCM over chunks of 64 KiB in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár:
 * "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015), under a data key of the file's own. A chunk is
 * stored as its ciphertext and its 16-byte tag. Only the last one may be shorter, and only an empty file's is empty.
 */
export const encryptionScheme = 'AES-256-GCM-STREAM-64KiB'

export const cipherName = 'aes-256-gcm'
export const CHUNK_BYTES = 64 * 1024
export const TAG_BYTES = 16
export const SEALED_BYTES = CHUNK_BYTES + TAG_BYTES

/** The size of the ciphertext is a function of the plaintext's, both in bytes. */
export function toCiphertextSize (size: number): number {
  return size + TAG_BYTES * (toLastChunk(size) + 1)
}

/** The index of the last chunk of `size` bytes of plaintext. */
export function toLastChunk (size: number): number {
  return Math.max(0, Math.ceil(size / CHUNK_BYTES) - 1)
}

/**
 * The counter keeps chunks from being left out, repeated or reordered, the flag of the last one keeps the file from being cut.
 * A data key encrypts one file, once, so no nonce is ever used twice.
 */
export function toNonce (index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(index, 5, 6)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

/**
 * Ties every chunk to its file. The master key's id is not in it: the wrapped data key is tied to that.
 */
export function toChunkAad ({ export_id: exportId, attempt, n }: FileRef): Buffer {
  return Buffer.from(JSON.stringify([encryptionScheme, exportId, attempt, n]))
}
