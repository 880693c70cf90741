import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { createFolderStore } from '../../src/store/folder/folder-store.ts'
import { createKuboStore } from '../../src/store/kubo/kubo-store.ts'
import { lines, startFakeNode } from './fixtures/fake-node.ts'
import { makeBytes, makeFolder, newKey } from './fixtures/stores.ts'

const MiB = 1024 * 1024
const GiB = 1024 * MiB
const cid = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'
const chunk = makeBytes(64 * 1024)

t.test('folder: the source is never asked for much more than the file has', async (t) => {
  const directory = await makeFolder(t)
  const key = newKey()
  let furthestAhead = 0
  const source = async function * () {
    for (let sent = 0; sent < 64 * MiB; sent += chunk.length) {
      furthestAhead = Math.max(furthestAhead, sent - statSync(join(directory, key)).size)
      yield chunk
    }
  }
  await (await createFolderStore({ directory })).put(key, source())
  t.ok(furthestAhead <= 4 * MiB, `${furthestAhead} bytes ahead`)
})

t.test('kubo: a node that does not read holds the source back, until the deadline ends the put', async (t) => {
  const { url } = await startFakeNode(t)
  let pulled = 0
  const endless = async function * () {
    for (;;) {
      pulled += chunk.length
      yield chunk
    }
  }
  await t.rejects(createKuboStore({ url, putDeadlineMs: 300 }).put(newKey(), endless()), { code: 'STORE_FAILED' })
  t.ok(pulled < 32 * MiB, `${pulled} bytes were pulled`) // what two sockets' buffers may hold
})

t.test('kubo: memory does not grow with the size of an upload', async (t) => {
  const key = newKey()
  const { url } = await startFakeNode(t, {
    add: lines({ Name: `d/${key}`, Hash: cid }, { Name: 'd', Hash: cid }),
    'files/stat': lines({ Hash: cid, Size: 320 * MiB, CumulativeSize: 0, Type: 'file', Blocks: 0 }),
  })
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  const source = async function * () {
    for (let sent = 0; sent < 320 * MiB; sent += chunk.length) {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
      yield chunk
    }
  }
  t.match(await createKuboStore({ url }).put(key, source()), { size: 320 * MiB })
  t.ok(most < 160 * MiB, `${most} bytes at most`) // garbage included
})

t.test('folder: a reader that does not read costs one buffer', async (t) => {
  const directory = await makeFolder(t)
  const store = await createFolderStore({ directory })
  const key = newKey()
  const sparse = await open(join(directory, key), 'w')
  await sparse.truncate(GiB)
  await sparse.close()

  const before = process.memoryUsage().arrayBuffers
  const reader = store.read({ key, cid, pin: null, size: GiB })[Symbol.asyncIterator]()
  await reader.next()
  for (let n = 0; n < 100; n++) await store.ping()
  t.ok(process.memoryUsage().arrayBuffers - before < 8 * MiB)
  await reader.return?.()
})

t.test('kubo: a reader that does not read holds the node back, and one that leaves hangs up', async (t) => {
  let accepted = 0
  let hungUp: (() => void) | undefined
  const closed = new Promise<void>((resolve) => { hungUp = resolve })
  const endless = function * () {
    for (;;) {
      accepted += chunk.length
      yield chunk
    }
  }
  const { url } = await startFakeNode(t, {
    version: (_req, res) => { res.end('{"Version":"1"}') },
    cat: (_req, res) => { Readable.from(endless(), { objectMode: false }).pipe(res).on('close', () => hungUp?.()) },
  })
  const store = createKuboStore({ url })
  const reader = store.read({ key: newKey(), cid, pin: null, size: GiB })[Symbol.asyncIterator]()
  await reader.next()
  for (let n = 0; n < 200; n++) await store.ping()
  t.ok(accepted < 32 * MiB, `${accepted} bytes were accepted`)
  await reader.return?.()
  await closed
  t.pass('the connection was closed')
})
