import { BlackHoleBlockstore } from 'blockstore-core'
import { importFile } from 'ipfs-unixfs-importer'

/** `ipfs add` makes leaves of this size; whole multiples of it go through the importer without being copied together. */
export const UNIXFS_CHUNK_BYTES = 256 * 1024

/**
 * The CIDv0 that `ipfs add` gives to these bytes (256 KiB chunks, 174 links a node, no raw leaves); the blocks go nowhere.
 * A chunk may be overwritten once the next one is asked for: leaves are hashed one at a time, and of a hashed leaf the importer only
 * reads the length. (It keeps up to 174 of them: with buffers that are not reused that would be 45 MB.)
 */
export async function toCidV0 (chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const { cid } = await importFile({ content: chunks }, new BlackHoleBlockstore(), {
    profile: 'unixfs-v0-2015',
    blockWriteConcurrency: 1,
  })
  return cid.toString()
}
