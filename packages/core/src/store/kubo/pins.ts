import type { Call } from './call.ts'
import type { FileKey } from '../content-store.ts'
import { isFileKey } from '../file-key.ts'
import type { KuboEndpoint } from './endpoint.ts'
import { callForLines } from './rpc.ts'

/**
 * The node's pins that are ours: those whose name is a file's key. Every file lies alone in a directory with the key as its link's name, so
 * that no two files have one pin although equal files share their blocks. The client knows no names of pins.
 *
 * All at once: a node answers from a list that it has made, and the caller drops files while it reads ours.
 */
export async function listPins (endpoint: KuboEndpoint, call: Call): Promise<Array<{ key: FileKey, pin: string }>> {
  const found: Array<{ key: FileKey, pin: string }> = []
  const parameters = { type: 'recursive', names: 'true', stream: 'true' }
  for await (const { Cid: pin, Name: key } of callForLines(endpoint, 'pin/ls', { parameters, signal: call.signal })) {
    call.expect()
    if (typeof pin === 'string' && typeof key === 'string' && isFileKey(key)) found.push({ key, pin })
  }
  return found
}
