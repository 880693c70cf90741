import { open } from 'node:fs/promises'
import type { ByteRange, FileHandle } from '../content-store.ts'
import { toByteRange } from '../streams/byte-range.ts'
import { isMissing, longFile, missingFile, shortFile, toStoreError } from '../store-error.ts'
import { toPath } from './to-path.ts'

const READ_BYTES = 256 * 1024

/** A file of the folder, or a range of it. */
export async function * readFile (
  directory: string, file: FileHandle, range: ByteRange | undefined, signal: AbortSignal | undefined
): AsyncGenerator<Uint8Array> {
  const path = toPath(directory, file.key)
  const { start, end } = toByteRange(file.size, range)
  signal?.throwIfAborted()
  const opened = await open(path, 'r').catch((error: unknown) => {
    throw isMissing(error) ? missingFile(file.key, error) : toStoreError(error, `opening ${file.key}`)
  })
  try {
    const { size } = await opened.stat()
    // Said before the first byte, while an HTTP answer can still be an error.
    if (size < file.size) throw shortFile(file.key, file.size, size)
    if (size > file.size) throw longFile(file.key, file.size)
    for (let position = start; position < end;) {
      signal?.throwIfAborted()
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - position))
      const { bytesRead } = await opened.read(buffer, 0, buffer.length, position)
        .catch((error: unknown) => { throw toStoreError(error, `reading ${file.key}`) })
      if (bytesRead === 0) throw shortFile(file.key, file.size, position)
      position += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await opened.close()
  }
}
