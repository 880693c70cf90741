import { createHash } from 'node:crypto'
import { ServiceError } from '@fhir-bulk-export/core/errors'

/**
 * Passes a whole file on, and its last chunk only if the file has this SHA-256 (hex): damage in the store breaks the connection, and
 * never looks like a complete download.
 * @throws ServiceError STORE_CORRUPT (while iterating)
 */
export async function * assertIntact (chunks: AsyncIterable<Uint8Array>, sha256: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let last: Uint8Array | undefined
  for await (const chunk of chunks) {
    hash.update(chunk)
    if (last !== undefined) yield last
    last = chunk
  }
  if (hash.digest('hex') !== sha256) throw new ServiceError('STORE_CORRUPT', 'The content store delivered other bytes than it was given')
  if (last !== undefined) yield last
}
