import { setTimeout as delay } from 'node:timers/promises'

/** Runs the task now and `pauseMs` after each end, never twice at once, until the signal aborts. Failures go to `onError`. */
export async function every (
  pauseMs: number, task: () => Promise<void>, onError: (error: unknown) => void, signal: AbortSignal
): Promise<void> {
  while (!signal.aborted) {
    await task().catch(onError)
    await delay(pauseMs, undefined, { signal }).catch(() => {})
  }
}
