import { constants } from 'node:fs'
import { access, mkdir, opendir, statfs, unlink } from 'node:fs/promises'
import type { ByteRange, CallOptions, ContentStore, FileHandle, FileKey, StoredFile, StoreUsage } from '../content-store.ts'
import { isFileKey } from '../file-key.ts'
import { isMissing, toStoreError } from '../store-error.ts'
import { readFile } from './read-file.ts'
import { storeFile } from './store-file.ts'
import { toPath } from './to-path.ts'

/**
 * Files in one folder of this machine, each under its key and named by the CID that `ipfs add` would give it. Any number of processes may
 * share the folder. Calls have no deadline: the operating system offers none for a local disk.
 */
export async function createFolderStore (
  { directory, isPrepared = false }: { directory: string, isPrepared?: boolean }
): Promise<ContentStore> {
  async function put (key: FileKey, chunks: AsyncIterable<Uint8Array>, { signal }: CallOptions = {}): Promise<StoredFile> {
    return await storeFile(directory, key, chunks, signal)
  }

  function read (file: FileHandle, range?: ByteRange, { signal }: CallOptions = {}): AsyncIterable<Uint8Array> {
    return readFile(directory, file, range, signal)
  }

  /** The file's blocks stay on disk for the downloads that have it open. */
  async function drop ({ key }: { key: FileKey }, { signal }: CallOptions = {}): Promise<void> {
    const path = toPath(directory, key)
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
      throw toStoreError(error, 'making the folder')
    })
  }
  return { put, read, drop, list, collectGarbage: async () => {}, findExposures: async () => [], getUsage, ping, close: async () => {} }
}
