import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { create, type CID } from 'ipfs-http-client'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t from 'tap'
import { createFolderStore } from '../../src/store/folder/folder-store.ts'
import { createKuboStore } from '../../src/store/kubo/kubo-store.ts'
import type { StoredFile } from '../../src/store/index.ts'
import { kinds, listed, makeBytes, makeFolder, newKey, putBytes, rejection, startNode, toArray } from './fixtures/stores.ts'

for (const kind of kinds) {
  t.test(kind.name, { skip: kind.skip }, async (t) => {
    const { store, reopen } = await kind.openOwn(t)
    const files: StoredFile[] = []
    for (let n = 1; n <= 5; n++) files.push(await putBytes(store, makeBytes(n * 1_000), newKey(n)))
    const keys = files.map(({ key }) => key)

    t.test('every file is listed once, under its key and with its pin', async (t) => {
      const found = await listed(store, ...keys)
      t.strictSame(sorted(found), sorted(files.map(({ key, pin }) => ({ key, pin }))))
    })

    t.test('a store that was opened anew finds the same', async (t) => {
      const found = await listed(await reopen(), ...keys)
      t.strictSame(sorted(found), sorted(files.map(({ key, pin }) => ({ key, pin }))))
    })

    t.test('files can be dropped while they are listed', async (t) => {
      const store = await reopen()
      for await (const file of store.list()) await store.drop(file)
      t.strictSame(await listed(store, ...keys), [])
    })

    t.test('an aborted list ends with the reason', async (t) => {
      const reason = new Error('enough')
      t.equal(await rejection(toArray(store.list({ signal: AbortSignal.abort(reason) }))), reason)
    })
  })
}

t.test('folder: other files in the folder are not listed, a half-written one of ours is', async (t) => {
  const directory = await makeFolder(t)
  const store = await createFolderStore({ directory })
  const [half, folder] = [newKey(), 'a folder']
  for (const name of ['notes.txt', `${newKey()}.tmp`, `x${newKey()}`, newKey().replace('ndjson', 'json'),
    half]) await writeFile(join(directory, name), '{"reso')
  await mkdir(join(directory, folder))
  t.strictSame(await toArray(store.list()), [{ key: half, pin: null }])
  await store.drop({ key: half, pin: null })
  t.equal((await readdir(directory)).length, 5)
})

t.test('kubo: pins that are not ours are never listed, and survive the drop of all that is', needs('kubo'), async (t) => {
  const { url } = await startNode(t)
  const client = create({ url })
  const [key, other] = [newKey(), newKey(2)]
  await client.add('a file on its own', { pin: true })
  await client.add('raw leaves', { pin: true, cidVersion: 1 })
  for (const paths of [['a/Patient.1.ndjson'], [`b/${key}`, 'b/README'], [`c/${key}`, `c/${other}`], [`e/f/${key}`]]) {
    await toArray(client.addAll(paths.map((path) => ({ path, content: 'foreign' })), { pin: true }))
  }
  await client.block.put(Buffer.from([0x0a, 0x03, 1, 2, 3]), { format: 'dag-pb', mhtype: 'sha2-256', version: 0, pin: true }) // no UnixFS
  await client.dag.put({ name: key }, { storeCodec: 'dag-cbor', pin: true })
  const before = await pins(client)

  const store = createKuboStore({ url })
  const ours = await putBytes(store, makeBytes(100))
  const found = []
  for await (const entry of createKuboStore({ url }).list()) {
    found.push(entry.key)
    await store.drop(entry)
  }
  t.strictSame(found, [ours.key])
  t.strictSame(await pins(client), before)
})

async function pins (client: ReturnType<typeof create>): Promise<string[]> {
  const found = await toArray<{ cid: CID }>(client.pin.ls({ type: 'recursive' }))
  return found.map(({ cid }) => cid.toString()).sort()
}

function sorted<T extends { key: string }> (files: T[]): T[] {
  return files.toSorted((a, b) => a.key < b.key ? -1 : 1)
}
