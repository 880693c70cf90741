import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createFolderStore } from '../../src/store/folder/folder-store.ts'
import { collect, inChunks, kinds, listed, makeBytes, makeFolder, newKey, putBytes } from './fixtures/stores.ts'

/** What `ipfs add` of Kubo 0.43 answers; more in kubo/cid.test.ts. */
const known = [
  { bytes: Buffer.alloc(0), cid: 'QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH' },
  { bytes: Buffer.from('hello world\n'), cid: 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o' },
  { bytes: makeBytes(1), cid: 'QmQGb6CHE3S7BK7gJCBNNnDAALk8pXokXH8Krhy77nsEma' },
  { bytes: makeBytes(256 * 1024 - 1), cid: 'QmciEtMk9pBLjc66Wu8AUqcR86Qg2gmFB9Vr1SJLvFyZGc' },
  { bytes: makeBytes(256 * 1024), cid: 'QmcbhqEneCpQD8KrkgDuN1FBXv6cjCxTSWpNMEecC7C2dA' },
  { bytes: makeBytes(256 * 1024 + 1), cid: 'QmeHYS2duenz96c1s5g5DaNHZYawncykge5CJTRuHczR15' },
  { bytes: makeBytes(3_000_000), cid: 'QmTyUDmDMwaEgNVS4WcKPpwdMGPdnKQksJACavArDj792q' },
  // One node has 174 links at most.
  { bytes: makeBytes(174 * 256 * 1024), cid: 'QmTtjhiK8EYa22JKyH4rJEwaTou7uzR6V12E9UA7tXVJZG' },
  { bytes: makeBytes(174 * 256 * 1024 + 1), cid: 'QmRnxi88xtknvr7Fj3E2NBA5wBB69jjZfTMSat4vsM3BGW' },
]

for (const kind of kinds) {
  t.test(kind.name, { skip: kind.skip }, async (t) => {
    const { store } = await kind.open(t)

    t.test('a file gets the CID that `ipfs add` gives it, and comes back as it was', async (t) => {
      for (const { bytes, cid } of known) {
        const file = await putBytes(store, bytes)
        t.match(file, { cid, size: bytes.length }, `${bytes.length} bytes`)
        t.ok(bytes.equals(await collect(store.read(file))), `${bytes.length} bytes come back`)
      }
    })

    t.test('it does not matter how the stream is cut', async (t) => {
      const bytes = makeBytes(600_001)
      const { cid } = await putBytes(store, bytes)
      for (const chunkBytes of [7, 65_536, 256 * 1024 + 1, 600_001]) {
        t.equal((await store.put(newKey(), inChunks(bytes, chunkBytes))).cid, cid, `chunks of ${chunkBytes}`)
      }
    })

    t.test('equal bytes under two keys are two files with one CID', async (t) => {
      const bytes = makeBytes(1_000)
      const one = await putBytes(store, bytes)
      const other = await putBytes(store, bytes)
      t.equal(one.cid, other.cid)
      t.strictSame(await listed(store, one.key), [{ key: one.key, pin: one.pin }])
      t.strictSame(await listed(store, other.key), [{ key: other.key, pin: other.pin }])
    })

    t.test('several files are stored at the same time', async (t) => {
      const sizes = Array.from({ length: 12 }, (_, n) => 300_000 + n)
      const files = await Promise.all(sizes.map((size) => putBytes(store, makeBytes(size))))
      for (const [n, file] of files.entries()) t.ok(makeBytes(300_000 + n).equals(await collect(store.read(file))))
    })

    t.test('a key that is none of ours is refused', async (t) => {
      for (const key of ['', 'Patient.ndjson', `../${newKey()}`, `${newKey()}/x`, newKey().toUpperCase()]) {
        await t.rejects(putBytes(store, Buffer.alloc(1), key), TypeError, key)
      }
    })
  })
}

t.test('folder: folder and files can be read by their owner alone', async (t) => {
  const directory = join(await makeFolder(t), 'a', 'b')
  const { key } = await putBytes(await createFolderStore({ directory }), makeBytes(10))
  t.equal((await stat(directory)).mode & 0o777, 0o700)
  t.equal((await stat(join(directory, key))).mode & 0o777, 0o600)
})

t.test('folder: a key that has a file is refused, and the file stays', async (t) => {
  const directory = await makeFolder(t)
  const store = await createFolderStore({ directory })
  const { key } = await putBytes(store, makeBytes(1_000))
  await t.rejects(putBytes(store, makeBytes(10), key), { code: 'STORE_FAILED' })
  t.strictSame(await readdir(directory), [key])
  t.ok(makeBytes(1_000).equals(await readFile(join(directory, key))))
})
