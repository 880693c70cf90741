import { constants } from 'node:fs'
import { access, mkdir, open, opendir, rm, statfs, unlink, type FileHandle as OpenFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toBlocks } from '../streams/blocks.ts'
import { toByteRange } from '../streams/byte-range.ts'
import type { ByteRange, CallOptions, ContentStore, FileHandle, FileKey, StoredFile, StoreUsage } from '../content-store.ts'
import { assertFileKey, isFileKey } from '../file-key.ts'
import { interruptible } from '../streams/interruptible.ts'
import { isMissing, longFile, missingFile, shortFile, toStoreError } from '../store-error.ts'
import { createUnixfsCid, UNIXFS_CHUNK_BYTES } from '../streams/unixfs-cid.ts'

const WRITE_BYTES = 4 * UNIXFS_CHUNK_BYTES
const FLUSH_BYTES = 32 * WRITE_BYTES
const READ_BYTES = 256 * 1024

/**
 * Files in one folder of this machine, each under its key and named by the CID that `ipfs add` would give it. Any number of processes may
 * share the folder. Calls have no deadline: the operating system offers none for a local disk.
 */
export async function createFolderStore (
  { directory, isPrepared = false }: { directory: string, isPrepared?: boolean }
): Promise<ContentStore> {
  const pathOf = (key: FileKey) => {
    assertFileKey(key)
    return join(directory, key)
  }

  /** A key is never used twice, so a file that is already there is another writer's: it is neither overwritten nor removed. */
  async function put (key: FileKey, chunks: AsyncIterable<Uint8Array>, { signal }: CallOptions = {}): Promise<StoredFile> {
    const path = pathOf(key)
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

  async function * read (file: FileHandle, range?: ByteRange, { signal }: CallOptions = {}): AsyncGenerator<Uint8Array> {
    const path = pathOf(file.key)
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

  /** The file's blocks stay on disk for the downloads that have it open. */
  async function drop ({ key }: { key: FileKey }, { signal }: CallOptions = {}): Promise<void> {
    const path = pathOf(key)
    signal?.throwIfAborted()
    try {
      await unlink(path)
    } catch (error) {
      if (!isMissing(error)) throw toStoreError(error, `dropping ${key}`)
      // Nothing is gone for good only because the whole folder is away.
      await ping({ signal })
    }
  }

  async function * list ({ signal }: CallOptions = {}): AsyncGenerator<Pick<StoredFile, 'key' | 'pin'>> {
    signal?.throwIfAborted()
    const entries = await opendir(directory).catch((error: unknown) => { throw toStoreError(error, 'listing') })
    for await (const { name } of entries) {
      signal?.throwIfAborted()
      if (isFileKey(name)) yield { key: name, pin: null }
    }
  }

  async function ping ({ signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    await access(`${directory}/.`, constants.R_OK | constants.W_OK | constants.X_OK)
      .catch((error: unknown) => { throw toStoreError(error, 'the folder cannot be used') })
  }

  async function getUsage ({ signal }: CallOptions = {}): Promise<StoreUsage> {
    signal?.throwIfAborted()
    const {
      bsize, blocks, bfree,
      bavail
    } = await statfs(directory).catch((error: unknown) => { throw toStoreError(error, 'asking for its disk') })
    const used = (blocks - bfree) * bsize
    return { used, capacity: used + bavail * bsize } // as df has it: without what is kept for root
  }

  // Health data: for this user alone. A folder that is already there keeps its mode.
  if (!isPrepared) {
    await mkdir(directory, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw toStoreError(error,
        'making the folder')
    })
  }
  return { put, read, drop, list, collectGarbage: async () => {}, findExposures: async () => [], getUsage, ping, close: async () => {} }
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
