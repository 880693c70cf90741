import type { IPFSHTTPClient } from 'ipfs-http-client'
import type { ByteRange, FileHandle } from '../content-store.ts'
import { toByteRange } from '../streams/byte-range.ts'
import { interruptible } from '../streams/interruptible.ts'
import { isMissing, longFile, missingFile, shortFile } from '../store-error.ts'
import { startCall } from './call.ts'
import { offline } from './offline.ts'

/** A file or a range of it; the next bytes must come within `silenceMs`. */
export async function * readFile (
  getClient: () => Promise<IPFSHTTPClient>, file: FileHandle, range: ByteRange | undefined, silenceMs: number,
  signal: AbortSignal | undefined
): AsyncGenerator<Uint8Array> {
  const { start, end } = toByteRange(file.size, range)
  if (start === end) return
  const call = startCall(`reading ${file.key}`, silenceMs, signal)
  const chunks = interruptible(cat(), call.signal)
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

  async function * cat (): AsyncGenerator<Uint8Array> {
    const client = await getClient()
    yield * client.cat(file.cid, { ...offline, offset: start, length: end - start, signal: call.signal })
  }
}
