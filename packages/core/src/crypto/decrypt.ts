import { createDecipheriv, type KeyObject } from 'node:crypto'
import { ServiceError } from '../errors.ts'
import { toBlocks } from '../store/streams/blocks.ts'
import { toByteRange } from '../store/streams/byte-range.ts'
import type { ByteRange } from '../store/content-store.ts'
import { toFileKey, type FileRef } from '../store/file-key.ts'
import { CHUNK_BYTES, cipherName, SEALED_BYTES, TAG_BYTES, toChunkAad, toCiphertextSize, toLastChunk, toNonce } from './layout.ts'

/** What is needed to read an encrypted file; `size` in bytes, of the plaintext, from the authenticated wrap. */
export interface EncryptedFile { file: FileRef, dataKey: KeyObject, size: number }

/** The part of the ciphertext that holds a part of the plaintext: whole chunks. */
export function toCiphertextRange (size: number, range?: ByteRange): ByteRange {
  const { start, end } = toByteRange(size, range)
  if (start === end) return { start: 0, end: 0 }
  return {
    start: Math.floor(start / CHUNK_BYTES) * SEALED_BYTES,
    end: Math.min(Math.ceil(end / CHUNK_BYTES) * SEALED_BYTES, toCiphertextSize(size)),
  }
}

/**
 * The plaintext of `range`, out of the ciphertext of `toCiphertextRange`. Nothing of a chunk is passed on before all of it was
 * authenticated.
 * @throws ServiceError STORE_CORRUPT (while iterating) when anything was left out, changed, moved, or is another file's.
 */
export async function * decrypt (
  ciphertext: AsyncIterable<Uint8Array>, { file, dataKey, size }: EncryptedFile, range?: ByteRange
): AsyncGenerator<Uint8Array> {
  const { start, end } = toByteRange(size, range)
  const aad = toChunkAad(file)
  const last = toLastChunk(size)
  let index = Math.floor(start / CHUNK_BYTES)

  function open (block: Uint8Array): Buffer {
    try {
      const decipher = createDecipheriv(cipherName, dataKey, toNonce(index, index === last), { authTagLength: TAG_BYTES })
        .setAAD(aad)
        .setAuthTag(block.subarray(-TAG_BYTES))
      const plaintext = decipher.update(block.subarray(0, -TAG_BYTES))
      decipher.final()
      return plaintext
    } catch (cause) {
      throw toCorrupt(file, index, cause)
    }
  }

  for await (const block of toBlocks(ciphertext, SEALED_BYTES)) {
    const from = index * CHUNK_BYTES
    if (from >= end || block.length !== Math.min(CHUNK_BYTES, size - from) + TAG_BYTES) throw toCorrupt(file, index)
    yield open(block).subarray(Math.max(0, start - from), end - from)
    index++
  }
  if (start < end && index * CHUNK_BYTES < end) throw toCorrupt(file, index)
}

function toCorrupt (file: FileRef, index: number, cause?: unknown): ServiceError {
  return new ServiceError('STORE_CORRUPT', `The content store delivered other bytes than it was given: ${toFileKey(file)}, chunk ${index}`,
    { cause })
}
