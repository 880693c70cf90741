import { BlackHoleBlockstore } from 'blockstore-core'
import { importFile } from 'ipfs-unixfs-importer'
import t from 'tap'
import { toCidV0, UNIXFS_CHUNK_BYTES } from '../../../src/store/streams/unixfs-cid.ts'
import { makeBytes } from '../fixtures/stores.ts'

const leaf = UNIXFS_CHUNK_BYTES

async function importedCid (content: AsyncIterable<Uint8Array>): Promise<string> {
  const { cid } = await importFile({ content }, new BlackHoleBlockstore(), { profile: 'unixfs-v0-2015', blockWriteConcurrency: 1 })
  return cid.toString()
}

async function * inChunks (bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

t.test('a CID is the one that ipfs-unixfs-importer gives, however long the bytes are and however they are cut', async (t) => {
  const sizes = [0, 1, 127, 128, 129, 16_384, leaf - 1, leaf, leaf + 1, 2 * leaf, 3 * leaf + 17, 173 * leaf + 1, 174 * leaf, 174 * leaf + 1]
  for (const size of sizes) {
    const bytes = makeBytes(size)
    t.equal(await toCidV0(inChunks(bytes, 99_991)), await importedCid(inChunks(bytes, 4 * leaf)), `${size} bytes`)
  }
})
