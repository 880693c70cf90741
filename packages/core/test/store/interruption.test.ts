import { Readable } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import type { FileKey } from '../../src/store/index.ts'
import { eventually } from '../fixtures/database.ts'
import { kinds, listed, makeBytes, newKey, putBytes, rejection } from './fixtures/stores.ts'

// Each test has a store of its own and reopens it before it looks: the node may still be busy with the aborted request.
for (const kind of kinds) {
  t.test(kind.name, { skip: kind.skip }, async (t) => {
    t.test('an error of the source is what put rejects with, and nothing is kept', async (t) => {
      const { store, reopen } = await kind.openOwn(t)
      const keys = []
      for (const chunksBefore of [0, 1, 100]) {
        const source = new Endless()
        source.failAfter = chunksBefore
        const key = newKey()
        keys.push(key)
        t.equal(await rejection(store.put(key, source.chunks())), source.error, `after ${chunksBefore} chunks`)
        t.ok(source.ended)
      }
      t.strictSame(await listed(await reopen(), ...keys), [])
    })

    t.test('an abort in the middle of a put rejects with its reason, ends the source, and nothing is kept', async (t) => {
      const { store, reopen } = await kind.openOwn(t)
      const abort = new AbortController()
      const reason = new Error('cancelled')
      const source = new Endless()
      source.onChunk = (n) => { if (n === 50) abort.abort(reason) }
      const key = newKey()
      t.equal(await rejection(store.put(key, source.chunks(), { signal: abort.signal })), reason)
      t.ok(source.ended)
      t.strictSame(await listed(await reopen(), key), [])
    })

    t.test('an abort does not wait for a source that gives nothing', async (t) => {
      const { store, reopen } = await kind.openOwn(t)
      const keys = []
      for (const chunksBefore of [0, 3]) {
        const abort = new AbortController()
        const reason = new Error('cancelled')
        const key = newKey()
        keys.push(key)
        const silent = async function * () {
          for (let n = 0; n < chunksBefore; n++) yield makeBytes(70_000)
          setImmediate(() => { abort.abort(reason) })
          await new Promise(() => {})
        }
        t.equal(await rejection(store.put(key, silent(), { signal: abort.signal })), reason)
      }
      t.strictSame(await listed(await reopen(), ...keys), [])
    })

    t.test('an abort when the store has got everything, and has not answered: what is not confirmed is not kept', async (t) => {
      const { store } = await kind.openOwn(t)
      const keys: FileKey[] = []
      const confirmed: FileKey[] = []
      for (let afterMs = 0; afterMs < 20; afterMs++) {
        const abort = new AbortController()
        const key = newKey()
        keys.push(key)
        const whole = async function * () {
          yield makeBytes(100_000)
          setTimeout(() => { abort.abort(new Error('cancelled')) }, afterMs)
        }
        await store.put(key, whole(), { signal: abort.signal }).then(() => { confirmed.push(key) }, () => {})
      }
      t.ok(await eventually(async () => isDeepStrictEqual(new Set((await listed(store, ...keys)).map(({ key }) => key)),
        new Set(confirmed))))
    })

    t.test('a Node stream as source is destroyed, however the put ends', async (t) => {
      const { store } = await kind.openOwn(t)
      const reason = new Error('cancelled')
      const unread = new Readable({ read () {} })
      t.equal(await rejection(store.put(newKey(), unread, { signal: AbortSignal.abort(reason) })), reason)
      t.ok(unread.destroyed)

      const abort = new AbortController()
      const waiting = new Readable({ read () { setImmediate(() => { abort.abort(reason) }) } })
      t.equal(await rejection(store.put(newKey(), waiting, { signal: abort.signal })), reason)
      t.ok(waiting.destroyed)

      const whole = Readable.from([makeBytes(10)])
      await store.put(newKey(), whole)
      t.ok(whole.destroyed)
    })

    t.test('the store is as good as before', async (t) => {
      const { store, collectGarbage } = await kind.openOwn(t)
      const source = new Endless()
      source.failAfter = 20
      await t.rejects(store.put(newKey(), source.chunks()))
      await collectGarbage()
      const file = await putBytes(store, makeBytes(1_000_000))
      t.equal((await listed(store, file.key)).length, 1)
    })

    t.test('a call that was aborted before it began does nothing', async (t) => {
      const { store } = await kind.openOwn(t)
      const file = await putBytes(store, makeBytes(10))
      const reason = new Error('too late')
      const signal = AbortSignal.abort(reason)
      t.equal(await rejection(store.ping({ signal })), reason)
      t.equal(await rejection(store.drop(file, { signal })), reason)
      t.equal((await listed(store, file.key)).length, 1)
    })
  })
}

/** A source that goes on for ever, unless it is told to fail, and knows whether it was ended. */
class Endless {
  readonly error = new Error('the source broke')
  failAfter = Infinity
  onChunk: (n: number) => void = () => {}
  ended = false

  async * chunks (): AsyncGenerator<Uint8Array> {
    try {
      for (let n = 0; n < this.failAfter; n++) {
        this.onChunk(n)
        yield makeBytes(65_536)
      }
      throw this.error
    } finally {
      this.ended = true
    }
  }
}
