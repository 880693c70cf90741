import { readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createFolderStore } from '../../src/store/folder/folder-store.ts'
import { collect, kinds, makeBytes, makeFolder, newKey, putBytes, rejection } from './fixtures/stores.ts'

const bytes = makeBytes(1_000_000)

for (const kind of kinds) {
  t.test(kind.name, { skip: kind.skip }, async (t) => {
    const { store } = await kind.open(t)
    const file = await putBytes(store, bytes)

    t.test('a range comes alone', async (t) => {
      const ranges = [[0, 1_000_000], [0, 1], [999_999, 1_000_000], [262_143, 262_145], [300_000, 900_000], [0, 0], [500, 500],
        [1_000_000, 1_000_000]] as const
      for (const [start, end] of ranges) {
        t.ok(bytes.subarray(start, end).equals(await collect(store.read(file, { start, end }))), `${start}–${end}`)
      }
    })

    t.test('a range that is not within the file is a bug of the caller', async (t) => {
      for (const [start, end] of [[-1, 5], [5, 4], [0, 1_000_001], [0.5, 2], [NaN, 3]] as const) {
        await t.rejects(collect(store.read(file, { start, end })), RangeError, `${start}–${end}`)
      }
    })

    t.test('fewer bytes than were recorded are an error, never a clean end', async (t) => {
      await t.rejects(collect(store.read({ ...file, size: 1_000_001 })), { code: 'STORE_SHORT' })
      await t.rejects(collect(store.read({ ...file, size: 1_000_001 }, { start: 999_000, end: 1_000_001 })), { code: 'STORE_SHORT' })
    })

    t.test('a reader may stop in the middle', async (t) => {
      const reader = store.read(file)[Symbol.asyncIterator]()
      t.equal((await reader.next()).done, false)
      await reader.return?.()
      t.ok(bytes.equals(await collect(store.read(file))))
    })

    t.test('an abort in the middle ends the reading with its reason', async (t) => {
      const abort = new AbortController()
      const reason = new Error('enough')
      let got = 0
      const reading = (async () => {
        for await (const chunk of store.read(file, undefined, { signal: abort.signal })) {
          got += chunk.length
          abort.abort(reason)
        }
      })()
      t.equal(await rejection(reading), reason)
      t.ok(got < bytes.length)
      t.equal(await rejection(collect(store.read(file, undefined, { signal: abort.signal }))), reason,
        'and one that was aborted before does not begin')
    })

    t.test('a download that has begun goes on when its file is dropped', async (t) => {
      const file = await putBytes(store, bytes)
      const chunks = store.read(file)[Symbol.asyncIterator]()
      const first = await chunks.next()
      await store.drop(file)
      const rest = await collect({ [Symbol.asyncIterator]: () => chunks })
      t.ok(bytes.equals(Buffer.concat([first.value, rest])))
    })
  })
}

t.test('folder: a file that is not there', async (t) => {
  const store = await createFolderStore({ directory: await makeFolder(t) })
  await t.rejects(collect(store.read({ key: newKey(), cid: 'QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH', pin: null, size: 0 })),
    { code: 'STORE_NOT_FOUND' })
  await t.rejects(collect(store.read({ key: '../../etc/passwd', cid: '', pin: null, size: 10 })), TypeError)
})

t.test('folder: a file that lost its end on disk, before and during a download', async (t) => {
  const directory = await makeFolder(t)
  const store = await createFolderStore({ directory })
  const file = await putBytes(store, bytes)
  const [name = ''] = await readdir(directory)
  const chunks = store.read(file)[Symbol.asyncIterator]()
  await chunks.next()
  await truncate(join(directory, name), 400_000)
  await t.rejects(collect({ [Symbol.asyncIterator]: () => chunks }), { code: 'STORE_SHORT' })
  await t.rejects(collect(store.read(file)), { code: 'STORE_SHORT' })
  await t.rejects(collect(store.read(file, { start: 0, end: 10 })), { code: 'STORE_SHORT' }, 'even for a range that is still there')
})

t.test('folder: a file that is longer than recorded is not ours any more', async (t) => {
  const store = await createFolderStore({ directory: await makeFolder(t) })
  const file = await putBytes(store, bytes)
  await t.rejects(collect(store.read({ ...file, size: 10 })), { code: 'STORE_FAILED' })
})
