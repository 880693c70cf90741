/** A dependency that is asked whether it can be used now: rejects if not. */
export type Check = (signal: AbortSignal) => Promise<unknown>

const deadlineMs = 2_000
/** No token is needed, and each answer costs a call to every dependency: requests within this time share one. */
const sharedMs = 100

/** Asks all of them, and gives the names of those that are down. `onDown` is told why. */
export function createReadiness (checks: Record<string, Check>, onDown: (error: unknown, name: string) => void): () => Promise<string[]> {
  return share(async () => await findDown(checks, onDown))
}

/** `work`, not begun anew while it runs, nor for a while (ms) after it was begun. */
export function share<T> (work: () => Promise<T>, whileMs = sharedMs): () => Promise<T> {
  let last: { begun: number, result: Promise<T>, isOver: boolean } | undefined
  return async () => {
    if (last === undefined || (last.isOver && performance.now() - last.begun > whileMs)) {
      const run = { begun: performance.now(), result: work(), isOver: false }
      run.result.finally(() => { run.isOver = true }).catch(() => {}) // the callers of `get` hear of it
      last = run
    }
    return await last.result
  }
}

async function findDown (checks: Record<string, Check>, onDown: (error: unknown, name: string) => void): Promise<string[]> {
  const signal = AbortSignal.timeout(deadlineMs)
  const results = await Promise.all(Object.entries(checks).map(async ([name, check]) => {
    try {
      await within(signal, check(signal))
      return []
    } catch (error) {
      onDown(error, name)
      return [name]
    }
  }))
  return results.flat()
}

async function within (signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  const { promise: expired, reject } = Promise.withResolvers<never>()
  const expire = () => { reject(signal.reason) }
  signal.addEventListener('abort', expire)
  try {
    await Promise.race([work, expired])
  } finally {
    signal.removeEventListener('abort', expire)
  }
}
