import { setTimeout as delay } from 'node:timers/promises'
import type { Figures } from './figures.ts'

const requestMs = 30_000
/** A server that is away is asked again so soon, and one that says when never later: a kick-off above the limit would wait for a minute. */
const retryMs = 500
const longestRetryMs = 5_000

export interface Answer { status: number, headers: Headers, bytes: Buffer }

export interface Asking { method?: string, headers?: Record<string, string>, body?: string }

export type Ask = (url: string, asking: Asking) => Promise<Answer>

/** Asks until there is an answer that means something: 429, 503 and connections that break are tried again. Rejects when the signal aborts. */
export function createAsk (figures: Figures, signal: AbortSignal): Ask {
  return async function ask (url, asking) {
    for (;;) {
      signal.throwIfAborted()
      const answer = await askOnce(url, asking, signal).catch(() => undefined)
      if (answer !== undefined && answer.status !== 429 && answer.status !== 503) return answer
      figures.repeated++
      const seconds = Number(answer?.headers.get('retry-after') ?? NaN)
      await delay(Number.isFinite(seconds) ? Math.min(longestRetryMs, seconds * 1_000) : retryMs, undefined, { signal })
    }
  }
}

/** The answer, whole. */
async function askOnce (url: string, asking: Asking, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { ...asking, signal: AbortSignal.any([signal, AbortSignal.timeout(requestMs)]) })
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
}

/** The first bytes of an answer, after which the client is gone; undefined when there were none. */
export async function askAndLeave (url: string, asking: Asking, bytes: number): Promise<Answer | undefined> {
  const leave = new AbortController()
  try {
    const response = await fetch(url, { ...asking, signal: AbortSignal.any([leave.signal, AbortSignal.timeout(requestMs)]) })
    const read: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      read.push(chunk)
      size += chunk.length
      if (size >= bytes) break
    }
    return { status: response.status, headers: response.headers, bytes: Buffer.concat(read) }
  } catch {
    return undefined
  } finally {
    leave.abort()
  }
}
