import { fileURLToPath } from 'node:url'
import { ServiceError } from '../errors.ts'
import type { ContentStore } from './content-store.ts'
import { createEmbeddedStore } from './embedded.ts'
import { createKuboStore } from './kubo.ts'

export type { ByteRange, CallOptions, ContentStore, FileHandle, FileKey, StoredFile } from './content-store.ts'
export { createEmbeddedStore } from './embedded.ts'
export { parseFileKey, toFileKey } from './file-key.ts'
export type { FileRef } from './file-key.ts'
export { createKuboStore } from './kubo.ts'
export type { KuboOptions } from './kubo.ts'

/** `http(s)://host:5001`: a Kubo node, not connected to yet (see `ping`); `file:///dir`: a folder, made if it is missing. */
export async function openContentStore (ipfsUrl: string): Promise<ContentStore> {
  const url = URL.parse(ipfsUrl)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return createKuboStore({ url: ipfsUrl })
  if (url?.protocol === 'file:' && url.search === '' && url.hash === '') return await createEmbeddedStore({ directory: toDirectory(url) })
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
