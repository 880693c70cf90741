import { ServiceError } from '../../errors.ts'
import { toStoreError } from '../store-error.ts'

/**
 * One call to a store. `signal` aborts with the first reason to end it before its driver does: the caller's abort, a source's error, or
 * STORE_FAILED after a silence of `silenceMs`.
 */
export interface Call {
  readonly signal: AbortSignal
  abort: (reason: unknown) => void
  /** We wait for the store from now on; call it again at each sign of life. */
  expect: () => void
  /** We do not wait for the store now. */
  rest: () => void
  /** Runs `work`, and rejects as soon as the signal fires, even if the driver does not notice. */
  until: <T>(work: () => Promise<T>) => Promise<T>
  /** What the caller is told of a driver's error. */
  toError: (error: unknown) => unknown
  /** Also takes down whatever the driver may have left open. */
  end: () => void
}

export function startCall (action: string, silenceMs: number, caller: AbortSignal | undefined): Call {
  const controller = new AbortController()
  const { signal } = controller
  const abort = (reason: unknown) => { controller.abort(reason) }
  const onCallerAbort = () => { abort(caller?.reason) }
  caller?.addEventListener('abort', onCallerAbort, { once: true })
  if (caller?.aborted) onCallerAbort()

  const silent = () => { abort(new ServiceError('STORE_FAILED', `The content store was silent for ${silenceMs} ms: ${action}`)) }
  let timer = setTimeout(silent, silenceMs)
  let resting = false

  function expect (): void {
    if (resting) timer = setTimeout(silent, silenceMs)
    else timer.refresh()
    resting = false
  }

  function rest (): void {
    clearTimeout(timer)
    resting = true
  }

  async function until<T> (work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    return await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => { reject(signal.reason) }, { once: true })
      work().then(resolve, reject)
    })
  }

  function end (): void {
    rest()
    caller?.removeEventListener('abort', onCallerAbort)
    abort(new DOMException('The call is over', 'AbortError'))
  }

  const toError = (error: unknown) => signal.aborted ? signal.reason : toStoreError(error, action)
  return { signal, abort, expect, rest, until, toError, end }
}

/** A call that has one answer, within `silenceMs`. */
export async function callOnce<T> (
  action: string, silenceMs: number, caller: AbortSignal | undefined, work: (call: Call) => Promise<T>
): Promise<T> {
  const call = startCall(action, silenceMs, caller)
  try {
    return await call.until(() => work(call))
  } catch (error) {
    throw call.toError(error)
  } finally {
    call.end()
  }
}
