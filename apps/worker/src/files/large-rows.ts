/** Bytes of one row from which on it is read alone: a reader holds such a row several times over (bytes, line, piece). */
export const largeRowBytes = 4 * 2 ** 20

const patienceMs = 500

/**
 * The byte budget of a worker: its readers hold small rows as they come, and a large one only one reader at a time, whichever
 * export it belongs to. The lock lies in memory that all threads share; 0 is free, anything else is the task that has it.
 */
export interface LargeRows {
  /** Waits until no other reader is in a large row. */
  acquire: () => Promise<void>
  /** Does nothing unless it is this reader that is. */
  release: () => void
}

export function createLargeRows (memory: SharedArrayBuffer, task: number, signal?: AbortSignal): LargeRows {
  const lock = new Int32Array(memory)

  async function acquire (): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      const holder = Atomics.compareExchange(lock, 0, 0, task)
      if (holder === 0) return
      // Now and again one looks whether one is still wanted.
      await Atomics.waitAsync(lock, 0, holder, patienceMs).value
    }
  }

  return { acquire, release: () => { releaseLargeRow(memory, task) } }
}

/** Does nothing unless the task has the lock. Also for the main thread, when a reader was ended by force. */
export function releaseLargeRow (memory: SharedArrayBuffer, task: number): void {
  const lock = new Int32Array(memory)
  if (Atomics.compareExchange(lock, 0, task, 0) === task) Atomics.notify(lock, 0)
}
