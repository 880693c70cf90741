import { ServiceError } from '../../errors.ts'
import { startCall, type Call } from './call.ts'
import type { FileKey, StoredFile } from '../content-store.ts'
import { interruptible } from '../streams/interruptible.ts'
import type { KuboEndpoint } from './endpoint.ts'
import { upload } from './upload.ts'
import { callForLine } from './rpc.ts'

type PinnedFile = StoredFile & { pin: string }
type Added = Pick<PinnedFile, 'cid' | 'pin'>

/** The directory around the file; a name is needed, and the node gives it back. */
const DIRECTORY = 'd'
/** https://github.com/multiformats/cid#decoding-algorithm */
const cidV0 = /^Qm[1-9A-HJ-NP-Za-km-z]{44}$/
/** The longest wait for the answer to a call that was given up. */
const TAKE_BACK_MS = 10_000

/**
 * Adds `d/<key>` with `pin: true`: the node pins the directory in the same step (an add that is pinned afterwards can lose blocks to
 * the garbage collection in between), and GC waits for it.
 *
 * A node that has got the whole file keeps it, also for a caller that has gone: a call that is given up so late waits for the
 * node's answer and takes the pin back before it rejects.
 */
export async function addFile (
  endpoint: KuboEndpoint, key: FileKey, chunks: AsyncIterable<Uint8Array>, silenceMs: number, signal: AbortSignal | undefined
): Promise<PinnedFile> {
  const call = startCall(`writing ${key}`, silenceMs, signal)
  const source = interruptible(chunks, call.signal)
  const request = new AbortController()
  let adding: Promise<Added> | undefined
  let isWhole = false
  let size = 0

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

  call.signal.addEventListener('abort', () => { if (!isWhole) request.abort(call.signal.reason) })
  try {
    const { cid, pin } = await call.until(() => (adding = add(endpoint, key, body(), request.signal)))
    call.expect()
    await call.until(() => check(endpoint, { key, cid, pin, size }, call))
    return { key, cid, pin, size }
  } catch (error) {
    const told = call.toError(error)
    if (isWhole) await takeBack(endpoint, adding, request, Math.min(TAKE_BACK_MS, silenceMs))
    throw told
  } finally {
    call.end()
    await source.close()
  }
}

/** Where the answer comes too late, or the pin cannot be taken, the cleanup finds it. */
async function takeBack (
  endpoint: KuboEndpoint, adding: Promise<Added> | undefined, request: AbortController, timeoutMs: number
): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs)
  signal.addEventListener('abort', () => { request.abort(signal.reason) })
  await adding?.then(async ({ pin }) => { await callForLine(endpoint, 'pin/rm', { parameters: { arg: pin }, signal }) }).catch(() => {})
}

/** A node that kept the file says so of the file and of its directory. */
async function add (endpoint: KuboEndpoint, key: FileKey, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Added> {
  const added = await upload(endpoint, { path: `${DIRECTORY}/${key}`, pinName: key, content }, signal)
  const file = added.find(({ path }) => path === `${DIRECTORY}/${key}`)
  const directory = added.find(({ path }) => path === DIRECTORY)
  if (file === undefined || directory === undefined) throw new ServiceError('STORE_FAILED', `The IPFS node did not confirm ${key}`)
  return { cid: file.cid, pin: directory.cid }
}

/** The sizes that `add` reports count the tree's nodes too; what the pinned directory really holds is asked for. */
async function check (endpoint: KuboEndpoint, file: PinnedFile, call: Call): Promise<void> {
  const parameters = { arg: `/ipfs/${file.pin}/${file.key}`, offline: 'true' } // offline.ts says why
  const held = await callForLine(endpoint, 'files/stat', { parameters, signal: call.signal })
  if (held.Size !== file.size) {
    throw new ServiceError('STORE_FAILED', `The IPFS node holds ${Number(held.Size)} of ${file.size} bytes of ${file.key}`)
  }
  if (held.Hash !== file.cid || !cidV0.test(file.cid)) throw new ServiceError('STORE_FAILED', `The IPFS node has no CIDv0 for ${file.key}`)
}
