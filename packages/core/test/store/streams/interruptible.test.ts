import t from 'tap'
import { interruptible } from '../../../src/store/streams/interruptible.ts'
import { rejection, toArray } from '../fixtures/stores.ts'

async function * count (onEnd: () => void = () => {}) {
  try { for (let n = 1; n <= 3; n++) yield n } finally { onEnd() }
}

t.test('it gives what the source gives, and knows of no stop', async (t) => {
  const stream = interruptible(count(), undefined)
  t.strictSame(await toArray(stream), [1, 2, 3])
  t.equal(stream.stopped, undefined)
})

t.test('it remembers what stopped it first', async (t) => {
  const [error, reason] = [new Error('source'), new Error('abort')]
  const abort = new AbortController()
  const stream = interruptible((async function * () { throw error })(), abort.signal)
  t.equal(await rejection(stream.next()), error)
  abort.abort(reason)
  t.equal(await rejection(stream.next()), reason)
  t.equal(stream.stopped?.error, error)
})

t.test('closing waits for the clean-up of a source that is not being waited for', async (t) => {
  let ended = false
  const stream = interruptible(count(() => { ended = true }), undefined)
  await stream.next()
  await stream.close()
  t.ok(ended)
  await stream.close()
})

t.test('closing does not wait for a source that never answers', async (t) => {
  const abort = new AbortController()
  const never = (): Promise<IteratorResult<number>> => new Promise(() => {})
  const stream = interruptible({ [Symbol.asyncIterator]: () => ({ next: never, return: never }) }, abort.signal)
  const waiting = rejection(stream.next())
  abort.abort('enough')
  t.equal(await waiting, 'enough')
  await stream.close()
})

t.test('closing does not reject when the clean-up does', async (t) => {
  const stream = interruptible((async function * () { try { yield 1 } finally { await Promise.reject(new Error('clean-up')) } })(),
    undefined)
  await stream.next()
  await t.resolves(stream.close())
})

t.test('a source without `return` can be closed', async (t) => {
  const stream = interruptible({ [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: 1 }) }) }, undefined)
  await stream.next()
  await t.resolves(stream.close())
})

t.test('its listener on the signal goes when it is closed', async (t) => {
  const { signal } = new AbortController()
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => { listeners++; add(...args) }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => { listeners--; remove(...args) }
  const stream = interruptible(count(), signal)
  await toArray(stream)
  await stream.close()
  t.equal(listeners, 0)
})
