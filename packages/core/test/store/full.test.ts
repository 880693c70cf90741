import t from 'tap'
import { createKuboStore } from '../../src/store/kubo/kubo-store.ts'
import { toStoreError } from '../../src/store/store-error.ts'
import { refusal, startFakeNode } from './fixtures/fake-node.ts'
import { makeBytes, putBytes } from './fixtures/stores.ts'

t.test('a store that is full is told from one that is away', async (t) => {
  for (const [error, code] of [
    [Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }), 'STORE_FULL'],
    [Object.assign(new Error('EDQUOT'), { code: 'EDQUOT' }), 'STORE_FULL'],
    [new Error('failed', { cause: Object.assign(new Error('write'), { code: 'ENOSPC' }) }), 'STORE_FULL'],
    [Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), 'STORE_FAILED'],
    ['a string', 'STORE_FAILED'],
  ] as const) t.equal(toStoreError(error, 'writing').code, code)
})

t.test('kubo: a node says in words that its disk is full', async (t) => {
  for (const message of ['write /data/ipfs/blocks/put-123: no space left on device',
    'maximum storage limit exceeded. Try to unpin some files']) {
    const { url } = await startFakeNode(t, { add: refusal(message) })
    await t.rejects(putBytes(createKuboStore({ url }), makeBytes(1_000)), { code: 'STORE_FULL' }, message)
  }
})
