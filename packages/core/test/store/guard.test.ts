import t from 'tap'
import { guard } from '../../src/store/guard.ts'
import { rejection, toArray } from './fixtures/stores.ts'

async function * count (onEnd: () => void = () => {}) {
  try { for (let n = 1; n <= 3; n++) yield n } finally { onEnd() }
}

t.test('it gives what the source gives, and knows of no stop', async (t) => {
  const guarded = guard(count(), undefined)
  t.strictSame(await toArray(guarded), [1, 2, 3])
  t.equal(guarded.stopped, undefined)
})

t.test('it remembers what stopped it first', async (t) => {
  const [error, reason] = [new Error('source'), new Error('abort')]
  const abort = new AbortController()
  const guarded = guard((async function * () { throw error })(), abort.signal)
  t.equal(await rejection(guarded.next()), error)
  abort.abort(reason)
  t.equal(await rejection(guarded.next()), reason)
  t.equal(guarded.stopped?.error, error)
})

t.test('closing waits for the clean-up of a source that is not being waited for', async (t) => {
  let ended = false
  const guarded = guard(count(() => { ended = true }), undefined)
  await guarded.next()
  await guarded.close()
  t.ok(ended)
  await guarded.close()
})

t.test('closing does not wait for a source that never answers', async (t) => {
  const abort = new AbortController()
  const never = (): Promise<IteratorResult<number>> => new Promise(() => {})
  const guarded = guard({ [Symbol.asyncIterator]: () => ({ next: never, return: never }) }, abort.signal)
  const waiting = rejection(guarded.next())
  abort.abort('enough')
  t.equal(await waiting, 'enough')
  await guarded.close()
})

t.test('closing does not reject when the clean-up does', async (t) => {
  const guarded = guard((async function * () { try { yield 1 } finally { await Promise.reject(new Error('clean-up')) } })(), undefined)
  await guarded.next()
  await t.resolves(guarded.close())
})

t.test('a source without `return` can be closed', async (t) => {
  const guarded = guard({ [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: 1 }) }) }, undefined)
  await guarded.next()
  await t.resolves(guarded.close())
})

t.test('its listener on the signal goes when it is closed', async (t) => {
  const { signal } = new AbortController()
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => { listeners++; add(...args) }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => { listeners--; remove(...args) }
  const guarded = guard(count(), signal)
  await toArray(guarded)
  await guarded.close()
  t.equal(listeners, 0)
})
