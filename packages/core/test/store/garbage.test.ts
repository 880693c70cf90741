import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t from 'tap'
import { createKuboStore } from '../../src/store/kubo/kubo-store.ts'
import type { StoredFile } from '../../src/store/index.ts'
import { lines, startFakeNode, trailer } from './fixtures/fake-node.ts'
import { collect, kinds, listed, makeBytes, newKey, putBytes, startNode } from './fixtures/stores.ts'

const program = fileURLToPath(new URL('fixtures/put-files.ts', import.meta.url))

t.test('equal files come and go in two processes while garbage is collected: what is not dropped stays whole', needs('kubo'), async (
  t
) => {
  const { url } = await startNode(t)
  const store = createKuboStore({ url })
  const bytes = makeBytes(700_000)
  const child = spawn(process.execPath, [program, url, '12', String(bytes.length)], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  const exited = once(child, 'exit')
  const theirs = text(child.stdout).then((lines) => lines.trim().split('\n').map((line): StoredFile => JSON.parse(line)))

  const over = new AbortController()
  let collections = 0
  const collecting = (async () => {
    while (!over.signal.aborted) {
      await store.collectGarbage()
      collections++
    }
  })()
  const ours: StoredFile[] = []
  for (let i = 0; i < 12; i++) {
    ours.push(await putBytes(store, bytes, newKey()))
    const dropped = i % 2 === 1 ? ours.shift() : undefined
    if (dropped !== undefined) await store.drop(dropped)
  }
  t.strictSame(await exited, [0, null])
  over.abort()
  await collecting
  t.ok(collections > 0)

  const kept = [...ours, ...await theirs]
  t.equal(new Set(kept.map(({ cid }) => cid)).size, 1, 'they are all the same bytes')
  t.equal(kept.length, 18)
  t.equal((await listed(store, ...kept.map(({ key }) => key))).length, 18)
  for (const file of kept) t.ok(bytes.equals(await collect(store.read(file))), file.key)

  for (const file of kept.slice(1)) await store.drop(file)
  await store.collectGarbage()
  const [last] = kept
  t.ok(last !== undefined && bytes.equals(await collect(store.read(last))), 'the last one is enough')
})

for (const kind of kinds) {
  t.test(`${kind.name}: nobody else can reach what is stored here`, { skip: kind.skip }, async (t) => {
    const { store } = await kind.open(t)
    t.strictSame(await store.findExposures(), [])
  })
}

t.test('kubo: a node that is not done with its garbage in time is told to stop', async (t) => {
  const stopped = Promise.withResolvers<void>()
  const { url } = await startFakeNode(t, {
    'diag/cmds': lines([]),
    'repo/gc': (_req, res) => {
      res.on('close', () => { stopped.resolve() })
      res.write('{"Key":{"/":"QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"}}\n')
    },
  })
  await t.rejects(createKuboStore({ url, gcDeadlineMs: 200 }).collectGarbage(), { code: 'STORE_FAILED', message: /200 ms/ })
  await stopped.promise
})

t.test('kubo: what it could not collect is said, be it in a line or after the last one', async (t) => {
  for (const [what, answer] of [
    ['in a line', lines({ Error: 'could not remove it' })],
    ['in the trailer', trailer({ Key: { '/': 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o' } })],
  ] as const) {
    const { url } = await startFakeNode(t, { 'diag/cmds': lines([]), 'repo/gc': answer })
    await t.rejects(createKuboStore({ url }).collectGarbage(), { code: 'STORE_FAILED' }, what)
  }
})

t.test('kubo: an abort ends the waiting for it', async (t) => {
  const controller = new AbortController()
  const { url } = await startFakeNode(t, { 'diag/cmds': lines([]), 'repo/gc': () => { controller.abort(new Error('the worker stops')) } })
  await t.rejects(createKuboStore({ url }).collectGarbage({ signal: controller.signal }), { message: 'the worker stops' })
})

t.test('kubo: a node whose configuration cannot be read counts as public', async (t) => {
  const { url } = await startFakeNode(t, {
    'config/show': (req, res) => req.resume().on('end', () => { res.writeHead(403).end() }),
  })
  t.match(await createKuboStore({ url }).findExposures(), [/cannot be read/])
  t.match(await createKuboStore({ url: 'http://127.0.0.1:1' }).findExposures(), [/cannot be read/])
})
