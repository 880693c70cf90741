/**
 * Regroups a stream into blocks of exactly `size` bytes (the last one: what is left). Blocks lie in two buffers that take turns:
 * a block stays as it is until the one after the next is asked for. An empty stream has no block.
 */
export async function * toBlocks (chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let current = Buffer.allocUnsafeSlow(size)
  let other = Buffer.allocUnsafeSlow(size)
  let filled = 0
  for await (const chunk of chunks) {
    for (let offset = 0; offset < chunk.length;) {
      const taken = Math.min(chunk.length - offset, size - filled)
      current.set(chunk.subarray(offset, offset + taken), filled)
      offset += taken
      filled += taken
      if (filled < size) continue
      yield current;
      [current, other] = [other, current]
      filled = 0
    }
  }
  if (filled > 0) yield current.subarray(0, filled)
}
