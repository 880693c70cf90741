import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startKubo } from '@fhir-bulk-export/stack/kubo'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t from 'tap'
import { createKuboStore } from '../../../src/store/kubo/kubo-store.ts'
import type { StoredFile } from '../../../src/store/index.ts'
import { eventually } from '../../fixtures/database.ts'
import { collect, listed, makeBytes, makeFolder, newKey, putBytes, rejection, startNode, toArray } from '../fixtures/stores.ts'

/** What the program does when it is killed, paused, locked out, full or old: on its own, without a stand-in. */

const bytes = makeBytes(3_000_000)

/** An upload that has begun, and goes on when it is told to. */
function slowly (size = bytes.length) {
  const begun = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  async function * chunks () {
    yield bytes.subarray(0, size / 2)
    begun.resolve()
    await goOn.promise
    yield bytes.subarray(size / 2)
  }
  return { chunks: chunks(), begun: begun.promise, goOn: goOn.resolve }
}

t.test('killed in an add, a drop and a collection: what was stored is whole, and nothing else is pinned', needs('kubo'), async (t) => {
  const repo = await makeFolder(t)
  const kept: StoredFile[] = []
  for (const what of ['an add', 'a drop', 'a collection']) {
    const node = await startNode(t, repo)
    const store = createKuboStore({ url: node.url })
    const doomed = await Promise.all(Array.from({ length: 20 }, async () => await putBytes(store, bytes)))
    kept.push(await putBytes(store, bytes))
    const slow = slowly()
    const key = newKey()
    const broken = {
      async 'an add' () {
        const put = rejection(store.put(key, slow.chunks))
        await slow.begun
        return [put]
      },
      'a drop': async () => doomed.map(async (file) => { await store.drop(file).catch(() => {}) }),
      async 'a collection' () {
        for (const file of doomed) await store.drop(file)
        return [store.collectGarbage().catch(() => {})]
      },
    }[what]
    const calls = await broken?.() ?? []
    process.kill(node.pid, 'SIGKILL')
    slow.goOn()
    await Promise.all(calls)
    await node.stop()

    const restarted = await startNode(t, repo)
    const again = createKuboStore({ url: restarted.url })
    t.strictSame(await listed(again, key), [], what)
    for (const file of kept) t.ok(bytes.equals(await collect(again.read(file))), `a file that was stored, after ${what}`)
    for (const file of doomed) await again.drop(file)
    await again.collectGarbage()
    t.same((await toArray(again.list())).map(({ key }) => key).sort(), kept.map(({ key }) => key).sort(), `after ${what}`)
    await restarted.stop()
  }
})

t.test('paused: every call is given up in time; awake again, it is as good as before', needs('kubo'), async (t) => {
  const node = await startNode(t)
  const store = createKuboStore({ url: node.url })
  const file = await putBytes(store, bytes)
  const impatient = createKuboStore({ url: node.url, deadlineMs: 300, putDeadlineMs: 300, gcDeadlineMs: 300 })
  process.kill(node.pid, 'SIGSTOP')
  // Its other threads run on until the one that was chosen for the signal does.
  await eventually(async () => await impatient.ping().then(() => false, () => true))
  const calls: Record<string, () => Promise<unknown>> = {
    ping: async () => { await impatient.ping() },
    put: async () => await putBytes(impatient, bytes),
    read: async () => await collect(impatient.read(file)),
    drop: async () => { await impatient.drop(file) },
    list: async () => await toArray(impatient.list()),
    collectGarbage: async () => { await impatient.collectGarbage() },
  }
  for (const [name, call] of Object.entries(calls)) await t.rejects(call(), { code: 'STORE_FAILED' }, name)
  process.kill(node.pid, 'SIGCONT')
  const other = await putBytes(store, bytes)
  t.ok(bytes.equals(await collect(store.read(other))))
})

t.test('its repository is locked by another: the second does not start and says so, the first goes on', needs('kubo'), async (t) => {
  const repo = await makeFolder(t)
  const store = createKuboStore({ url: (await startNode(t, repo)).url })
  await t.rejects(startKubo({ repo }), { message: /lock/ })
  t.ok(bytes.equals(await collect(store.read(await putBytes(store, bytes)))))
})

t.test('an upload that was broken off holds up no collection', needs('kubo'), async (t) => {
  const store = createKuboStore({ url: (await startNode(t)).url })
  const { chunks, begun } = slowly()
  const abort = new AbortController()
  const put = rejection(store.put(newKey(), chunks, { signal: abort.signal }))
  await begun
  abort.abort()
  await put
  await store.collectGarbage()
  t.strictSame(await toArray(store.list()), [])
})

t.test('an add that hangs: nothing is collected, and others are stored', needs('kubo'), async (t) => {
  const { url } = await startNode(t)
  const store = createKuboStore({ url, longAddMs: 0 })
  const { chunks, begun, goOn } = slowly()
  const put = store.put(newKey(), chunks)
  await begun
  const isAdding = async () =>
    /"Active":true,"Command":"add"/.test(await (await fetch(`${url}/api/v0/diag/cmds`, { method: 'POST' })).text())
  await eventually(isAdding)
  await t.rejects(store.collectGarbage(), { code: 'STORE_FAILED', message: /adding a file for/ })
  const other = await putBytes(store, bytes)
  goOn()
  const file = await put
  await store.drop(other)
  await eventually(async () => !await isAdding())
  await store.collectGarbage()
  t.ok(bytes.equals(await collect(store.read(file))))
})

t.test('a block is gone from its disk: what comes before it is delivered, then the error in a trailer', needs('kubo'), async (t) => {
  const repo = await makeFolder(t)
  const store = createKuboStore({ url: (await startNode(t, repo)).url })
  const file = await putBytes(store, bytes)
  const leaf = bytes.subarray(6 * 262_144, 7 * 262_144)
  for (const path of await readdir(join(repo, 'blocks'), { recursive: true })) {
    if (path.endsWith('.data') && (await readFile(join(repo, 'blocks', path))).includes(leaf)) await rm(join(repo, 'blocks', path))
  }
  let got = 0
  await t.rejects(async () => { for await (const chunk of store.read(file)) got += chunk.length }, { code: 'STORE_SHORT' })
  t.ok(got > 0 && got <= 6 * 262_144, `${got} bytes`)
  await t.rejects(collect(store.read(file, { start: 6 * 262_144, end: bytes.length })), { code: 'STORE_FAILED' },
    'it does not say whether a leaf is missing or unreadable')
  t.ok(bytes.subarray(0, 1_000_000).equals(await collect(store.read(file, { start: 0, end: 1_000_000 }))))
})

t.test('full: said as such, nothing half-written is pinned, and it takes files again once there is room', needs('kubo'), async (t) => {
  const folder = await makeFolder(t)
  const disk = join(folder, 'disk')
  await mkdir(disk)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status !== 0) {
    t.skip('a disk of its own can be made by root alone', async () => {})
    return
  }
  t.teardown(() => { spawnSync('umount', ['-l', disk]) })
  const node = await startNode(t, join(disk, 'repo'))
  const store = createKuboStore({ url: node.url })
  const file = await putBytes(store, makeBytes(1_000_000))
  const key = newKey()
  await t.rejects(putBytes(store, makeBytes(30_000_000), key), { code: 'STORE_FULL' })
  spawnSync('mount', ['-o', 'remount,size=200m', disk])
  t.strictSame(await listed(store, key), [])
  t.ok(makeBytes(1_000_000).equals(await collect(store.read(file))))
  t.ok(makeBytes(30_000_000).equals(await collect(store.read(await putBytes(store, makeBytes(30_000_000))))))
})

t.test('a repository of an older version: it does not start, and with --migrate it has all files', needs('kubo'), async (t) => {
  const repo = await makeFolder(t)
  const node = await startNode(t, repo)
  const file = await putBytes(createKuboStore({ url: node.url }), bytes)
  await node.stop()
  // What 0.37 wrote: a repository of version 17, which says otherwise that nothing is announced.
  const path = join(repo, 'config')
  const { Provide, ...config } = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(path, JSON.stringify({ ...config, Provider: { Enabled: false }, Reprovider: { Interval: '0' } }))
  await writeFile(join(repo, 'version'), '17\n')
  await t.rejects(startKubo({ repo, args: ['--migrate=false'] }), { message: /migrat/ })
  const store = createKuboStore({ url: (await startNode(t, repo, ['--migrate'])).url })
  t.ok(bytes.equals(await collect(store.read(file))))
  t.strictSame(await listed(store, file.key), [{ key: file.key, pin: file.pin }])
  t.strictSame(await store.findExposures(), [])
  t.equal(JSON.parse(await readFile(path, 'utf8')).Provide.Enabled, false)
})
