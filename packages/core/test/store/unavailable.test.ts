import t from 'tap'
import { createKuboStore } from '../../src/store/kubo/kubo-store.ts'
import type { ContentStore } from '../../src/store/index.ts'
import { startFakeNode } from './fixtures/fake-node.ts'
import { collect, kinds, makeBytes, newKey, putBytes, toArray } from './fixtures/stores.ts'

const file = {
  key: newKey(), cid: 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o', pin: 'QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH',
  size: 12
}

const calls: Record<string, (store: ContentStore) => Promise<unknown>> = {
  ping: (store) => store.ping(),
  put: (store) => putBytes(store, makeBytes(200_000)),
  drop: (store) => store.drop(file),
  list: (store) => toArray(store.list()),
}

for (const kind of kinds) {
  t.test(`${kind.name}: every call to a store that is down rejects`, { skip: kind.skip }, async (t) => {
    const { store, shutDown } = await kind.openOwn(t)
    await store.ping()
    await shutDown()
    for (const [name, call] of Object.entries(calls)) await t.rejects(call(store), { name: 'ServiceError', code: 'STORE_FAILED' }, name)
    await t.rejects(collect(store.read(file)), { code: kind.name === 'folder' ? 'STORE_NOT_FOUND' : 'STORE_FAILED' }, 'read')
  })
}

t.test('kubo: every call to a node that never answers rejects when its deadline is over', async (t) => {
  const { url } = await startFakeNode(t)
  const store = createKuboStore({ url, deadlineMs: 200, putDeadlineMs: 200 })
  for (const [name, call] of Object.entries(calls)) {
    await t.rejects(call(store), { code: 'STORE_FAILED', message: /silent for 200 ms/ }, name)
  }
  await t.rejects(collect(store.read(file)), { code: 'STORE_FAILED', message: /silent for 200 ms/ }, 'read')
})
