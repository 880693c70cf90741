import { Readable } from 'node:stream'

/** A stream that a signal interrupts, also while its next chunk is waited for. `close` always ends it. */
export interface Interruptible<T> extends AsyncIterableIterator<T> {
  /** What stopped it first: its own error or the signal's reason. Drivers replace either by errors of their own. */
  readonly stopped: { error: unknown } | undefined
  /** Ends the stream if it has not ended yet. Waits for its clean-up, unless the stream itself is being waited for. Never rejects. */
  close: () => Promise<void>
}

/** Iterates `source`; a fired `signal` makes the pending and every later `next` reject with its reason. */
export function interruptible<T> (source: AsyncIterable<T>, signal: AbortSignal | undefined): Interruptible<T> {
  const iterator = source[Symbol.asyncIterator]()
  let stopped: { error: unknown } | undefined
  let ended = false
  let waiting = false
  let interrupt: (() => void) | undefined
  const onAbort = () => interrupt?.()
  signal?.addEventListener('abort', onAbort)

  async function next (): Promise<IteratorResult<T>> {
    try {
      signal?.throwIfAborted()
      const result = await nextOrInterrupted()
      if (result.done === true) ended = true
      return result
    } catch (error) {
      stopped ??= { error }
      throw error
    }
  }

  // Not Promise.race with one "aborted" promise: that promise would keep every chunk it ever raced with.
  function nextOrInterrupted (): Promise<IteratorResult<T>> {
    return new Promise((resolve, reject) => {
      interrupt = () => { reject(signal?.reason) }
      waiting = true
      iterator.next().then((result) => {
        waiting = false
        resolve(result)
      }, (error: unknown) => {
        waiting = false
        ended = true
        reject(error)
      })
    })
  }

  async function close (): Promise<void> {
    signal?.removeEventListener('abort', onAbort)
    if (ended) return
    ended = true
    // A Readable that was never iterated, or is being waited for, does not notice a `return`.
    if (source instanceof Readable) source.destroy()
    const returned = Promise.resolve(iterator.return?.()).catch(() => {})
    // A generator that is waiting for something takes the `return` only after it: that may never be.
    if (!waiting) await returned
  }

  return {
    get stopped () { return stopped },
    next,
    close,
    async return () {
      await close()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator] () { return this },
  }
}
