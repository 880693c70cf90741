import { createCipheriv, type KeyObject } from 'node:crypto'
import { toBlocks } from '../store/streams/blocks.ts'
import type { FileRef } from '../store/file-key.ts'
import { CHUNK_BYTES, cipherName, SEALED_BYTES, TAG_BYTES, toChunkAad, toNonce } from './layout.ts'

/** Chunks of one piece: few pieces cost the store less than many. */
const chunksPerPiece = 8

/**
 * The ciphertext of a stream (layout.ts). The buffer of a piece is used again for the next one.
 */
export async function * encrypt (chunks: AsyncIterable<Uint8Array>, dataKey: KeyObject, file: FileRef): AsyncGenerator<Uint8Array> {
  const aad = toChunkAad(file)
  const piece = Buffer.allocUnsafeSlow(chunksPerPiece * SEALED_BYTES)
  let filled = 0
  let index = 0

  function seal (plaintext: Uint8Array, isLast: boolean): void {
    const cipher = createCipheriv(cipherName, dataKey, toNonce(index++, isLast), { authTagLength: TAG_BYTES }).setAAD(aad)
    for (const part of [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]) {
      piece.set(part, filled)
      filled += part.length
    }
  }

  // Whether a chunk is the last one is known only when the next one has come or not; `toBlocks` keeps one for so long.
  let held: Uint8Array = new Uint8Array()
  for await (const block of toBlocks(chunks, CHUNK_BYTES)) {
    if (held.length > 0) seal(held, false)
    held = block
    if (filled < piece.length) continue
    yield piece
    filled = 0
  }
  seal(held, true)
  yield piece.subarray(0, filled)
}
