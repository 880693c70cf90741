import { constants } from 'node:fs'
import { open, rm, type FileHandle as OpenFile } from 'node:fs/promises'
import type { FileKey, StoredFile } from '../content-store.ts'
import { toBlocks } from '../streams/blocks.ts'
import { interruptible } from '../streams/interruptible.ts'
import { createUnixfsCid, UNIXFS_CHUNK_BYTES } from '../streams/unixfs-cid.ts'
import { toStoreError } from '../store-error.ts'
import { toPath } from './to-path.ts'

const WRITE_BYTES = 4 * UNIXFS_CHUNK_BYTES
const FLUSH_BYTES = 32 * WRITE_BYTES

/** A key is never used twice, so a file that is already there is another writer's: it is neither overwritten nor removed. */
export async function storeFile (
  directory: string, key: FileKey, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined
): Promise<StoredFile> {
  const path = toPath(directory, key)
  const source = interruptible(chunks, signal)
  try {
    signal?.throwIfAborted()
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    try {
      const stored = await write(file, source)
      signal?.throwIfAborted()
      await syncDirectory(directory)
      return { key, pin: null, ...stored }
    } catch (error) {
      // A half-written file that cannot be removed is still listed.
      await rm(path, { force: true }).catch(() => {})
      throw error
    }
  } catch (error) {
    if (source.stopped !== undefined) throw source.stopped.error
    signal?.throwIfAborted()
    throw toStoreError(error, `writing ${key}`)
  } finally {
    await source.close()
  }
}

/** One pass: while the kernel takes a block, this thread hashes it. Closes the file; its bytes are on disk when this resolves. */
async function write (file: OpenFile, chunks: AsyncIterable<Uint8Array>): Promise<Pick<StoredFile, 'cid' | 'size'>> {
  let size = 0
  let written = Promise.resolve()
  let flushed = Promise.resolve()
  const cid = createUnixfsCid()
  try {
    for await (const block of toBlocks(chunks, WRITE_BYTES)) {
      await written
      if (size > 0 && size % FLUSH_BYTES === 0) {
        // A disk that is slower than the source holds the source back here, instead of filling memory until the end.
        await flushed
        flushed = handled(file.datasync())
      }
      written = handled(writeAll(file, block))
      size += block.length
      cid.update(block)
    }
    await written
    await flushed
    await file.datasync()
    return { cid: cid.digest(), size }
  } finally {
    await Promise.allSettled([written, flushed])
    await file.close()
  }
}

/** For a promise that is awaited later: a rejection until then is not an unhandled one. */
function handled (promise: Promise<void>): Promise<void> {
  promise.catch(() => {})
  return promise
}

/** One call of the thread pool for each block: its answer waits for the hashing on this thread. (writeFile has one for each 512 KiB.) */
async function writeAll (file: OpenFile, block: Uint8Array): Promise<void> {
  for (let offset = 0; offset < block.length;) {
    const { bytesWritten } = await file.write(block, offset)
    offset += bytesWritten
  }
}

/** Without this a power failure can forget the file's name. */
async function syncDirectory (directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
