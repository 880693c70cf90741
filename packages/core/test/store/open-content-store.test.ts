import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { openContentStore } from '../../src/store/index.ts'
import { collect, makeBytes, makeFolder, putBytes } from './fixtures/stores.ts'

t.test('file:// opens a folder, which is made if it is missing', async (t) => {
  const directory = join(await makeFolder(t), 'with space', 'store')
  const store = await openContentStore(pathToFileURL(directory).href)
  t.ok((await stat(directory)).isDirectory())
  t.equal((await collect(store.read(await putBytes(store, makeBytes(10))))).length, 10)
  await store.close()
})

t.test('http:// opens a node without asking it yet', async (t) => {
  const store = await openContentStore('http://127.0.0.1:1')
  await t.rejects(store.ping(), { code: 'STORE_FAILED' })
  await store.close()
})

t.test('anything else is a mistake in the configuration, and is not repeated in the message', async (t) => {
  for (const url of ['', '/var/lib/store', 'ipfs://secret', 'ftp://me:secret@host', 'file://secret-host/dir', 'file:///dir?secret',
    'file:///a%2Fsecret']) {
    await t.rejects(openContentStore(url), { code: 'CONFIG_INVALID', message: /^(?!.*secret)/ }, url)
  }
})

t.test('a folder that cannot be made is a failure of the store', async (t) => {
  const file = join(await makeFolder(t), 'file')
  await writeFile(file, '')
  await t.rejects(openContentStore(pathToFileURL(join(file, 'store')).href), { code: 'STORE_FAILED' })
  await t.rejects(openContentStore(pathToFileURL(file).href), { code: 'STORE_FAILED' })
})
