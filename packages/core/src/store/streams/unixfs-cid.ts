import { createHash } from 'node:crypto'
import { toBlocks } from './blocks.ts'
import { toBase58 } from './base58.ts'

/*
 * The CIDv0 that `ipfs add` gives (256 KiB leaves, 174 links a node, no raw leaves), of the leaves' bytes where they lie: a leaf is hashed
 * between the few bytes that UnixFS and dag-pb put around it (https://specs.ipfs.tech/unixfs/, https://ipld.io/specs/codecs/dag-pb/spec/).
 * ipfs-unixfs-importer copies each leaf three times for the same; the tests compare with it.
 */

/** Of each leaf but the last one. */
export const UNIXFS_CHUNK_BYTES = 256 * 1024
const MAX_LINKS = 174
/** Field 1 of UnixFS, Type: File. */
const TYPE_FILE = [0x08, 2]
/** A multihash of SHA-256: its code and its length. */
const MULTIHASH = [0x12, 32]

/** `bytes`: of the file, below the node; `size`: of all blocks below it and its own. */
interface Node { digest: Buffer, bytes: number, size: number }

export interface UnixfsCid {
  /** The next bytes, whole multiples of UNIXFS_CHUNK_BYTES unless they are the last. */
  update: (bytes: Uint8Array) => void
  /** Once all bytes are in. */
  digest: () => string
}

export function createUnixfsCid (): UnixfsCid {
  /** Of each level the nodes that no parent has yet. */
  const levels: Node[][] = [[]]

  function update (bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; start += UNIXFS_CHUNK_BYTES) {
      push(0, toLeaf(bytes.subarray(start, start + UNIXFS_CHUNK_BYTES)))
    }
  }

  /** A full row gets its parent only when one more node comes: the last node of all is the root. */
  function push (level: number, node: Node): void {
    const nodes = levels[level] ??= []
    if (nodes.length === MAX_LINKS) push(level + 1, toParent(nodes.splice(0)))
    nodes.push(node)
  }

  function digest (): string {
    if (levels[0]?.length === 0) push(0, toLeaf(new Uint8Array(0)))
    for (let level = 0; ; level++) {
      const nodes = levels[level] ?? []
      const [root] = nodes
      const isTop = level === levels.length - 1 && nodes.length === 1
      if (isTop && root !== undefined) return toBase58(Buffer.concat([Buffer.from(MULTIHASH), root.digest]))
      push(level + 1, toParent(nodes.splice(0)))
    }
  }

  return { update, digest }
}

/** The CID of a stream, however it is cut. */
export async function toCidV0 (chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const cid = createUnixfsCid()
  for await (const block of toBlocks(chunks, UNIXFS_CHUNK_BYTES)) cid.update(block)
  return cid.digest()
}

function toLeaf (leaf: Uint8Array): Node {
  const fileSize = [0x18, ...toVarint(leaf.length)]
  const data = leaf.length === 0 ? [] : [0x12, ...toVarint(leaf.length)]
  const before = Uint8Array.from([0x0a, ...toVarint(TYPE_FILE.length + data.length + leaf.length + fileSize.length), ...TYPE_FILE, ...data])
  const after = Uint8Array.from(fileSize)
  const digest = createHash('sha256').update(before).update(leaf).update(after).digest()
  return { digest, bytes: leaf.length, size: before.length + leaf.length + after.length }
}

function toParent (nodes: Node[]): Node {
  const bytes = nodes.reduce((sum, node) => sum + node.bytes, 0)
  const links = nodes.flatMap(({ digest, size }) => {
    const link = [...toField(0x0a, [...MULTIHASH, ...digest]), ...toField(0x12, []), 0x18, ...toVarint(size)]
    return toField(0x12, link)
  })
  const data = [...TYPE_FILE, 0x18, ...toVarint(bytes), ...nodes.flatMap((node) => [0x20, ...toVarint(node.bytes)])]
  const block = Uint8Array.from([...links, ...toField(0x0a, data)])
  const size = nodes.reduce((sum, node) => sum + node.size, block.length)
  return { digest: createHash('sha256').update(block).digest(), bytes, size }
}

/** Protocol Buffers: bytes of a known length. */
function toField (tag: number, content: number[]): number[] {
  return [tag, ...toVarint(content.length), ...content]
}

/** Protocol Buffers: seven bits a byte, the least first. */
function toVarint (value: number): number[] {
  const bytes: number[] = []
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push(value % 128 + 128)
  return [...bytes, value]
}
