import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { generateResources, type Population } from './index.ts'

/** Lines are gathered to pieces of this size: a write for each line takes longer than making it. */
const pieceCharacters = 256 * 1_024

/** Writes `<Type>.ndjson` for each type into a folder, which it makes, and returns how many resources of each type there are. */
export async function writeNdjson (folder: string, population: Population): Promise<Record<string, number>> {
  await mkdir(folder, { recursive: true })
  const counts: Record<string, number> = {}
  const files = new Map<string, { stream: WriteStream, piece: string }>()

  for (const resource of generateResources(population)) {
    const type = resource.resourceType
    counts[type] = (counts[type] ?? 0) + 1
    let file = files.get(type)
    if (file === undefined) {
      file = { stream: createWriteStream(join(folder, `${type}.ndjson`)), piece: '' }
      files.set(type, file)
    }
    file.piece += `${JSON.stringify(resource)}\n`
    if (file.piece.length >= pieceCharacters) {
      const { stream, piece } = file
      file.piece = ''
      if (!stream.write(piece)) await once(stream, 'drain')
    }
  }

  await Promise.all([...files.values()].map(async ({ stream, piece }) => {
    stream.end(piece)
    await finished(stream)
  }))
  return counts
}
