import { Readable } from 'node:stream'

/**
 * Opens a stored file for sending. The first chunk is read before this resolves, so that a store that is away or does not hold
 * the file rejects while the answer can still be an error; later the stream is destroyed with the error, never ended early.
 */
export async function openStream (bytes: AsyncIterable<Uint8Array>): Promise<Readable> {
  const chunks = bytes[Symbol.asyncIterator]()
  const first = await chunks.next()

  async function * read (): AsyncGenerator<Uint8Array> {
    try {
      for (let result = first; result.done !== true; result = await chunks.next()) yield result.value
    } finally {
      await chunks.return?.()
    }
  }

  return Readable.from(read(), { objectMode: false })
}
