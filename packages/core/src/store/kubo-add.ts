import type { IPFSHTTPClient } from 'ipfs-http-client'
import { ServiceError } from '../errors.ts'
import { startCall } from './call.ts'
import type { Call } from './call.ts'
import type { FileKey, StoredFile } from './content-store.ts'
import { guard } from './guard.ts'
import type { KuboEndpoint } from './kubo-endpoint.ts'
import { upload } from './kubo-upload.ts'

type PinnedFile = StoredFile & { pin: string }

interface Node { client: IPFSHTTPClient, endpoint: KuboEndpoint }

/** The directory around the file; a name is needed, and the node gives it back. */
const DIRECTORY = 'd'

/**
 * Adds `d/<key>` with `pin: true`: the node pins the directory in the same step (an add that is pinned afterwards can lose blocks to
 * the garbage collection in between), and GC waits for it.
 *
 * A node that has got the whole file keeps it, whether or not somebody still waits: where the call is given up so late, the node's
 * answer is waited for without the caller, and the pin taken again.
 */
export async function addFile ({ client, endpoint }: Node, key: FileKey, chunks: AsyncIterable<Uint8Array>, silenceMs: number, signal: AbortSignal | undefined): Promise<PinnedFile> {
  const call = startCall(`writing ${key}`, silenceMs, signal)
  const source = guard(chunks, call.signal)
  const request = new AbortController()
  let adding: Promise<Pick<PinnedFile, 'cid' | 'pin'>> | undefined
  let isWhole = false
  let size = 0

  function giveUp (): void {
    if (isWhole) setTimeout(() => { request.abort() }, silenceMs).unref()
    else request.abort(call.signal.reason)
  }

  async function * body (): AsyncGenerator<Uint8Array> {
    for (;;) {
      call.rest()
      const result = await source.next().catch((error: unknown) => {
        call.abort(error) // what the caller is told, whatever the request makes of it
        throw error
      })
      call.expect()
      isWhole = result.done === true
      if (result.done === true) return
      size += result.value.length
      // The request asks for the next chunk while this one still lies in its socket's queue, and the caller may overwrite it then.
      yield Buffer.from(result.value)
    }
  }

  call.signal.addEventListener('abort', giveUp)
  try {
    const { cid, pin } = await call.until(() => (adding = add(endpoint, key, body(), request.signal)))
    call.expect()
    await call.until(() => check(client, { key, cid, pin, size }, call))
    call.signal.removeEventListener('abort', giveUp)
    return { key, cid, pin, size }
  } catch (error) {
    adding?.then(async ({ pin }) => { await client.pin.rm(pin, { signal: AbortSignal.timeout(silenceMs) }) }).catch(() => {})
    throw call.toError(error)
  } finally {
    call.end()
    await source.close()
  }
}

/** A node that kept the file says so of the file and of its directory. */
async function add (endpoint: KuboEndpoint, key: FileKey, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Pick<PinnedFile, 'cid' | 'pin'>> {
  const added = await upload(endpoint, `${DIRECTORY}/${key}`, content, signal)
  const file = added.find(({ path }) => path === `${DIRECTORY}/${key}`)
  const directory = added.find(({ path }) => path === DIRECTORY)
  if (file === undefined || directory === undefined) throw new ServiceError('STORE_FAILED', `The IPFS node did not confirm ${key}`)
  return { cid: file.cid, pin: directory.cid }
}

/** The sizes that `add` reports count the tree's nodes too; what the pinned directory really holds is asked for. */
async function check (client: IPFSHTTPClient, file: PinnedFile, call: Call): Promise<void> {
  const held = await client.files.stat(`/ipfs/${file.pin}/${file.key}`, { signal: call.signal })
  if (held.size !== file.size) throw new ServiceError('STORE_FAILED', `The IPFS node holds ${held.size} of ${file.size} bytes of ${file.key}`)
  if (held.cid.toString() !== file.cid || held.cid.version !== 0) throw new ServiceError('STORE_FAILED', `The IPFS node has no CIDv0 for ${file.key}`)
}
