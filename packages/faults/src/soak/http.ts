import { setTimeout as delay } from 'node:timers/promises'
import * as client from '@fhir-bulk-export/stack/client'
import type { Answer, RequestOptions } from '@fhir-bulk-export/stack/client'
import type { Figures } from './figures.ts'

const requestMs = 30_000
/** A server that is away is asked again so soon, and one that says when never later: a kick-off above the limit would wait for a minute. */
const retryMs = 500
const longestRetryMs = 5_000

export type Ask = (url: string, options: RequestOptions) => Promise<Answer>

/**
 * Asks until there is an answer that means something: 429, 503 and connections that break are tried again. Rejects when the signal aborts.
 */
export function createAsk (figures: Figures, signal: AbortSignal): Ask {
  return async function ask (url, options) {
    for (;;) {
      signal.throwIfAborted()
      const answer = await client.ask(url, {
        ...options, signal: AbortSignal.any([signal, AbortSignal.timeout(requestMs)]),
      }).catch(() => undefined)
      if (answer !== undefined && answer.status !== 429 && answer.status !== 503) return answer
      figures.repeated++
      const seconds = Number(answer?.headers['retry-after'] ?? NaN)
      await delay(Number.isFinite(seconds) ? Math.min(longestRetryMs, seconds * 1_000) : retryMs, undefined, { signal })
    }
  }
}

/** The first bytes of an answer, after which the client is gone; undefined when there were none. */
export async function askAndLeave (
  url: string, options: RequestOptions, bytes: number
): Promise<Pick<Answer, 'status' | 'headers' | 'bytes'> | undefined> {
  const leave = new AbortController()
  try {
    const response = await client.open(url, { ...options, signal: AbortSignal.any([leave.signal, AbortSignal.timeout(requestMs)]) })
    const read: Buffer[] = []
    let size = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      read.push(chunk)
      size += chunk.length
      if (size >= bytes) break
    }
    return { status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(read) }
  } catch {
    return undefined
  } finally {
    leave.abort()
  }
}
