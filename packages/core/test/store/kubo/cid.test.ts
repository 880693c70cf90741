import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { initKubo, runKubo } from '@fhir-bulk-export/stack/kubo'
import { needs } from '@fhir-bulk-export/stack/optional-servers'
import t from 'tap'
import { createFolderStore } from '../../../src/store/folder/folder-store.ts'
import { createKuboStore } from '../../../src/store/kubo/kubo-store.ts'
import { makeBytes, makeFolder, putBytes, startNode } from '../fixtures/stores.ts'

const chunk = 262_144
/**
 * A leaf's end, several leaves, and the most links that one node has. (The next level begins at 174 × 174 leaves, 7.9 GB: compared once,
 * packages/bench/README.md.)
 */
const sizes = [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 2 * chunk + 1, 174 * chunk - 1, 174 * chunk, 174 * chunk + 1]

/** Every setting that decides a CID, at another value than `ipfs add` has by default. */
const otherImport = {
  CidVersion: 1, HashFunction: 'blake3', UnixFSRawLeaves: true, UnixFSChunker: 'size-1048576', UnixFSFileMaxLinks: 1024,
  UnixFSDAGLayout: 'trickle', UnixFSDirectoryMaxLinks: 8
}

t.test('a file has the CID of `ipfs add --cid-version 0`: in the folder, and on nodes of any Import settings', needs('kubo'), async (
  t
) => {
  const folder = await makeFolder(t)
  const [files, repo, other] = [join(folder, 'files'), join(folder, 'repo'), join(folder, 'other')]
  await mkdir(files)
  for (const size of sizes) await writeFile(join(files, String(size)), makeBytes(size))
  await initKubo(repo)
  const answer = await runKubo(repo, ['add', '--only-hash', '--cid-version=0', '--recursive', files])
  const expected = new Map([...answer.matchAll(/^added (Qm\w+) files\/(\d+)$/gm)].map(([, cid, size]) => [Number(size), cid]))
  t.equal(expected.size, sizes.length)

  await initKubo(other)
  await runKubo(other, ['config', '--json', 'Import', JSON.stringify(otherImport)])
  const stores = {
    folder: await createFolderStore({ directory: join(folder, 'store') }),
    node: createKuboStore({ url: (await startNode(t, repo)).url }),
    other: createKuboStore({ url: (await startNode(t, other)).url }),
  }
  for (const size of sizes) {
    const bytes = makeBytes(size)
    for (const [name, store] of Object.entries(stores)) {
      t.equal((await putBytes(store, bytes)).cid, expected.get(size), `${size} bytes, ${name}`)
    }
  }
})
