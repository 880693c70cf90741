import type { IPFSHTTPClient } from 'ipfs-http-client'
import type { Call } from './call.ts'
import type { FileKey } from './content-store.ts'
import { isFileKey } from './file-key.ts'

/**
 * Which of a node's pins are ours. Every file lies alone in a directory whose only link has the file's key as its name: the
 * directory's CID is the pin. It is unique although equal files share their blocks, so no pin is ever needed by two files; and a pin
 * whose directory does not look like that is somebody else's.
 */
export interface Roots {
  pins: (call: Call) => Promise<string[]>
  /** null: not ours. */
  keyOf: (pin: string, signal: AbortSignal) => Promise<FileKey | null>
  learn: (pin: string, key: FileKey) => void
}

/** A CID's content never changes, so a verdict holds for ever. About 10 MB when full. */
const MAX_VERDICTS = 50_000

// One object per link and no look at the children: a foreign directory may have millions. A node
// looks for one that was dropped and collected since they were listed, and would never stop.
const lsOptions = { stream: true, resolveType: false, size: false, timeout: 5_000 }

export function createRoots (client: IPFSHTTPClient): Roots {
  const verdicts = new Map<string, FileKey | null>()

  function remember (pin: string, verdict: FileKey | null): void {
    verdicts.set(pin, verdict)
    const [oldest] = verdicts.keys()
    if (verdicts.size > MAX_VERDICTS && oldest !== undefined) verdicts.delete(oldest)
  }

  /** All at once: while a node streams its pins it may hold them locked, and whoever reads our list wants to drop. */
  async function pins (call: Call): Promise<string[]> {
    const found: string[] = []
    for await (const { cid } of client.pin.ls({ type: 'recursive', signal: call.signal })) {
      call.expect()
      if (cid.version === 0) found.push(cid.toString())
    }
    return found
  }

  async function keyOf (pin: string, signal: AbortSignal): Promise<FileKey | null> {
    const known = verdicts.get(pin)
    if (known !== undefined) return known
    try {
      const verdict = await look(pin, signal)
      remember(pin, verdict)
      return verdict
    } catch (error) {
      if (isUnreadable(error)) return null
      throw error
    }
  }

  async function look (pin: string, signal: AbortSignal): Promise<FileKey | null> {
    let only: FileKey | null = null
    for await (const { name } of client.ls(pin, { ...lsOptions, signal })) {
      if (only !== null || !isFileKey(name)) return null
      only = name
    }
    return only
  }

  return { pins, keyOf, learn: remember }
}

/** The node's own word that this is no directory it can read, or none in time. It may be for a passing reason, so it is not remembered. */
function isUnreadable (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return error.name === 'TimeoutError' || ('response' in error && error.response instanceof Response && error.response.status === 500)
}
