import { fileURLToPath } from 'node:url'
import { ServiceError } from '../errors.ts'
import type { ContentStore } from './content-store.ts'

export type { ByteRange, CallOptions, ContentStore, FileHandle, FileKey, StoredFile, StoreUsage } from './content-store.ts'
export { parseFileKey, toFileKey, type FileRef } from './file-key.ts'
export { isStoreFailure } from './store-error.ts'
export { tellCalls, type StoreCall } from './tell-calls.ts'

/**
 * `http(s)://host:5001`: a Kubo node, not connected to yet (see `ping`); `file:///dir`: a folder, made if it is missing. With
 * `isPrepared` a missing folder stays missing, for that is a disk that went away, and to fill an empty folder in its place would hide it.
 */
export async function openContentStore (ipfsUrl: string, { isPrepared = false } = {}): Promise<ContentStore> {
  const url = URL.parse(ipfsUrl)
  // Loaded when they are needed: the client of the one is half of a process's memory where the other is used.
  if (url?.protocol === 'http:' || url?.protocol === 'https:') {
    const { createKuboStore } = await import('./kubo/kubo-store.ts')
    return createKuboStore({ url: ipfsUrl })
  }
  if (url?.protocol === 'file:' && url.search === '' && url.hash === '') {
    const { createFolderStore } = await import('./folder/folder-store.ts')
    return await createFolderStore({ directory: toDirectory(url), isPrepared })
  }
  throw invalidUrl()
}

/** Not every file URL is a path here: there may be a host in it, or an encoded slash. */
function toDirectory (url: URL): string {
  try {
    return fileURLToPath(url)
  } catch (error) {
    throw invalidUrl(error)
  }
}

/** The value is not repeated: it may hold a password. */
function invalidUrl (cause?: unknown): ServiceError {
  return new ServiceError('CONFIG_INVALID', 'IPFS_URL must be http(s)://host:port of a Kubo RPC API, or file:///folder', { cause })
}
