import { openContentStore } from '@fhir-bulk-export/core/store'
import { parseKeyring } from '@fhir-bulk-export/core/crypto'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t from 'tap'
import { assertPrivate } from '../src/preflight.ts'
import { startNode } from './fixtures/ipfs-node.ts'
import { openService } from './fixtures/service.ts'

const key = `k1:${Buffer.alloc(32, 1).toString('base64')}`

t.test('a worker refuses a node that may be public, and takes it when files are encrypted or it is told to', needs('kubo'), async (t) => {
  const node = await startNode(t)
  const service = await openService(t, { IPFS_URL: node.url })
  await (await service.startWorker()).close()

  await node.call(
    'config?arg=Bootstrap&arg=%5B%22%2Fdnsaddr%2Fbootstrap.libp2p.io%2Fp2p%2FQmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN%22%5D&json=true'
  )
  await t.rejects(service.startWorker(), {
    code: 'STORE_PUBLIC',
    message: /Bootstrap is not an empty list[^]*EXPORT_ENCRYPTION_KEY[^]*Routing\.Type none[^]*IPFS_ALLOW_PUBLIC=true/
  })
  await t.rejects(service.startWorker({ IPFS_ALLOW_PUBLIC: 'false' }), { code: 'STORE_PUBLIC' })
  await (await service.startWorker({ IPFS_ALLOW_PUBLIC: 'true' })).close()
  await (await service.startWorker({ EXPORT_ENCRYPTION_KEY: key })).close()
})

t.test('a node that does not show its configuration counts as public', async (t) => {
  const store = await openContentStore('http://127.0.0.1:1')
  await t.rejects(assertPrivate(store, { IPFS_ALLOW_PUBLIC: false }), { code: 'STORE_PUBLIC', message: /cannot be read/ })
  await assertPrivate(store, { IPFS_ALLOW_PUBLIC: true })
  await assertPrivate(store, { IPFS_ALLOW_PUBLIC: false, EXPORT_ENCRYPTION_KEY: parseKeyring(key) })
})
