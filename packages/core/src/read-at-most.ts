/**
 * Reads a peer's answer to its end, at most `maxBytes`. After that the source is ended.
 * @throws Error for one that is longer.
 */
export async function readAtMost (chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const read: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`)
    read.push(chunk)
  }
  return Buffer.concat(read)
}
