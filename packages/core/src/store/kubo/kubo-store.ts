import type { IPFSHTTPClient } from 'ipfs-http-client'
import { callOnce } from './call.ts'
import type { ByteRange, CallOptions, ContentStore, FileHandle, FileKey, StoredFile, StoreUsage } from '../content-store.ts'
import { assertFileKey } from '../file-key.ts'
import { addFile } from './add.ts'
import { collectGarbage as collect } from './collect-garbage.ts'
import { findKuboExposures } from './exposure.ts'
import { toKuboEndpoint, type KuboEndpoint } from './endpoint.ts'
import { listPins } from './pins.ts'
import { readFile } from './read-file.ts'
import { readUsage } from './usage.ts'
import { isNotPinned } from '../store-error.ts'
import { callForLine } from './rpc.ts'

export interface KuboOptions {
  /** `http(s)://host:port`; what stands in it before an `@` goes into an Authorization header (endpoint.ts). */
  url: string
  /** An answer, or the next bytes of a file, must come within this time. */
  deadlineMs?: number
  /** A node must take the next chunk, or confirm the last one, within this time; while it collects garbage it takes none. */
  putDeadlineMs?: number
  /**
   * A node must be done with its garbage collection within this time, or it is told to stop. Less than `putDeadlineMs`: while it
   * collects, adds wait, and are to wait no longer than they can bear.
   */
  gcDeadlineMs?: number
  /** With an add that has been running for longer nothing is collected. */
  longAddMs?: number
}

const PING_MS = 5_000

/** Files pinned on a Kubo node by its RPC API, each in a directory of its own (see pins.ts). */
export function createKuboStore (
  { url, deadlineMs = 30_000, putDeadlineMs = 120_000, gcDeadlineMs = 90_000, longAddMs = 30_000 }: KuboOptions
): ContentStore {
  const endpoint = toKuboEndpoint(url)
  let client: Promise<IPFSHTTPClient> | undefined

  async function getClient (): Promise<IPFSHTTPClient> {
    client ??= openClient(endpoint).catch((error: unknown) => {
      client = undefined
      throw error
    })
    return await client
  }

  async function put (key: FileKey, chunks: AsyncIterable<Uint8Array>, { signal }: CallOptions = {}): Promise<StoredFile> {
    assertFileKey(key)
    return await addFile(endpoint, key, chunks, putDeadlineMs, signal)
  }

  function read (file: FileHandle, range?: ByteRange, { signal }: CallOptions = {}): AsyncIterable<Uint8Array> {
    return readFile(getClient, file, range, deadlineMs, signal)
  }

  async function drop ({ key, pin }: Pick<StoredFile, 'key' | 'pin'>, { signal }: CallOptions = {}): Promise<void> {
    if (pin === null) return
    await callOnce(`dropping ${key}`, deadlineMs, signal, async (call) => {
      const client = await getClient()
      await client.pin.rm(pin, { recursive: true, signal: call.signal })
        .catch((error: unknown) => { if (!isNotPinned(error)) throw error })
    })
  }

  async function * list ({ signal }: CallOptions = {}): AsyncGenerator<Pick<StoredFile, 'key' | 'pin'>> {
    yield * await callOnce('listing pins', deadlineMs, signal, async (call) => await listPins(endpoint, call))
  }

  async function collectGarbage ({ signal }: CallOptions = {}): Promise<void> {
    await callOnce('collecting garbage', gcDeadlineMs, signal, async (call) => { await collect(endpoint, longAddMs, call.signal) })
  }

  async function findExposures ({ signal }: CallOptions = {}): Promise<string[]> {
    const configuration = await callOnce('reading its configuration', deadlineMs, signal,
      async ({ signal }) => await callForLine(endpoint, 'config/show', { parameters: {}, signal }))
      .catch(() => {
        signal?.throwIfAborted()
        return undefined // what cannot be read counts as public
      })
    return findKuboExposures(configuration)
  }

  async function ping ({ signal }: CallOptions = {}): Promise<void> {
    await callOnce('asking for its version', Math.min(PING_MS, deadlineMs), signal, async ({ signal }) => {
      await callForLine(endpoint, 'version', { parameters: {}, signal })
    })
  }

  async function getUsage ({ signal }: CallOptions = {}): Promise<StoreUsage> {
    return await callOnce('asking for its disk', Math.min(PING_MS, deadlineMs), signal, (call) => readUsage(endpoint, call.signal))
  }

  return { put, read, drop, list, collectGarbage, findExposures, getUsage, ping, close: async () => {} }
}

/** Loaded when it is needed: it is half of a process's memory, and what only writes files does without it. */
async function openClient ({ url, headers }: KuboEndpoint): Promise<IPFSHTTPClient> {
  const { create } = await import('ipfs-http-client')
  return create({ url: new URL(url.href.replace(/\/$/, '')), headers }) // a slash at the end of its path would be doubled
}
