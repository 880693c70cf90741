import { Readable } from 'node:stream'

/**
 * Opens a stored file for sending. The first chunk is read before this resolves: if the store is away or lacks the file, the answer can
 * still be an error. Later the error destroys the stream, which never ends early.
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
