import { create } from 'ipfs-http-client'
import { toByteRange } from '../streams/byte-range.ts'
import { startCall, type Call } from './call.ts'
import type { ByteRange, CallOptions, ContentStore, FileHandle, FileKey, StoredFile, StoreUsage } from '../content-store.ts'
import { assertFileKey } from '../file-key.ts'
import { interruptible } from '../streams/interruptible.ts'
import { addFile } from './add.ts'
import { collectGarbage as collect } from './collect-garbage.ts'
import { findKuboExposures } from './exposure.ts'
import { toKuboEndpoint } from './endpoint.ts'
import { offline } from './offline.ts'
import { listPins } from './pins.ts'
import { readUsage } from './usage.ts'
import { isMissing, isNotPinned, longFile, missingFile, shortFile } from '../store-error.ts'

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
  // A slash at the end of its path would be doubled.
  const client = create({ url: new URL(endpoint.url.href.replace(/\/$/, '')), headers: endpoint.headers })

  async function once<T> (action: string, ms: number, signal: AbortSignal | undefined, work: (call: Call) => Promise<T>): Promise<T> {
    const call = startCall(action, ms, signal)
    try {
      return await call.until(() => work(call))
    } catch (error) {
      throw call.toError(error)
    } finally {
      call.end()
    }
  }

  async function put (key: FileKey, chunks: AsyncIterable<Uint8Array>, { signal }: CallOptions = {}): Promise<StoredFile> {
    assertFileKey(key)
    return await addFile({ client, endpoint }, key, chunks, putDeadlineMs, signal)
  }

  async function * read (file: FileHandle, range?: ByteRange, { signal }: CallOptions = {}): AsyncGenerator<Uint8Array> {
    const { start, end } = toByteRange(file.size, range)
    if (start === end) return
    const call = startCall(`reading ${file.key}`, deadlineMs, signal)
    const chunks = interruptible<Uint8Array>(client.cat(file.cid, { ...offline, offset: start, length: end - start, signal: call.signal }),
      call.signal)
    let left = end - start
    try {
      for await (const chunk of chunks) {
        call.rest()
        left -= chunk.length
        if (left < 0) throw longFile(file.key, file.size)
        yield chunk
        call.expect()
      }
      // A node's error in mid-stream comes as an HTTP trailer, which fetch drops: only counting finds it.
      if (left > 0) throw shortFile(file.key, end - start, end - start - left)
    } catch (error) {
      throw !call.signal.aborted && isMissing(error) ? missingFile(file.key, error) : call.toError(error)
    } finally {
      await chunks.close()
      call.end()
    }
  }

  async function drop ({ key, pin }: Pick<StoredFile, 'key' | 'pin'>, { signal }: CallOptions = {}): Promise<void> {
    if (pin === null) return
    await once(`dropping ${key}`, deadlineMs, signal, async (call) => {
      await client.pin.rm(pin, { recursive: true, signal: call.signal })
        .catch((error: unknown) => { if (!isNotPinned(error)) throw error })
    })
  }

  async function * list ({ signal }: CallOptions = {}): AsyncGenerator<Pick<StoredFile, 'key' | 'pin'>> {
    yield * await once('listing pins', deadlineMs, signal, async (call) => await listPins(endpoint, call))
  }

  async function collectGarbage ({ signal }: CallOptions = {}): Promise<void> {
    await once('collecting garbage', gcDeadlineMs, signal, async (call) => { await collect(endpoint, longAddMs, call.signal) })
  }

  async function findExposures ({ signal }: CallOptions = {}): Promise<string[]> {
    const configuration = await once('reading its configuration', deadlineMs, signal,
      (call) => client.config.getAll({ signal: call.signal }))
      .catch(() => {
        signal?.throwIfAborted()
        return undefined // what cannot be read counts as public
      })
    return findKuboExposures(configuration)
  }

  async function ping ({ signal }: CallOptions = {}): Promise<void> {
    await once('asking for its version', Math.min(PING_MS, deadlineMs), signal, (call) => client.version({ signal: call.signal }))
  }

  async function getUsage ({ signal }: CallOptions = {}): Promise<StoreUsage> {
    return await once('asking for its disk', Math.min(PING_MS, deadlineMs), signal, async (call) => await readUsage(endpoint, call.signal))
  }

  return { put, read, drop, list, collectGarbage, findExposures, getUsage, ping, close: async () => {} }
}
