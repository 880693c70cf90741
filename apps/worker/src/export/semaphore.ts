/** So many may have a place at once. Those who wait for one get it in the order in which they asked. */
export interface Semaphore {
  /** @returns what gives the place back, once. Rejects with the reason of `signal`, which ends the wait. */
  acquire: (signal: AbortSignal) => Promise<() => void>
  isFree: () => boolean
}

export function createSemaphore (places: number): Semaphore {
  const waiting: Array<() => void> = []
  let free = places

  function release (): void {
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
  }

  async function acquire (signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (free > 0) free--
    else await wait(signal)
    return release
  }

  async function wait (signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    function giveUp (): void {
      waiting.splice(waiting.indexOf(getPlace), 1)
      reject(signal.reason)
    }
    function getPlace (): void {
      signal.removeEventListener('abort', giveUp)
      resolve()
    }
    waiting.push(getPlace)
    signal.addEventListener('abort', giveUp, { once: true })
    await promise
  }

  return { acquire, isFree: () => free > 0 }
}
