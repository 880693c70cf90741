import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { generate, type Generated, type Population } from './index.ts'
import { toCsvLine } from './rows.ts'

/** Lines are gathered to pieces of this size: a write for each line takes longer than making it. */
const pieceCharacters = 256 * 1_024

/**
 * Writes `<relation>.csv` for rows, with their columns in the first line, and `<Type>.ndjson` for resources into a folder, which it makes.
 * Returns how many of each there are, by file name.
 */
export async function writeFiles (folder: string, population: Population): Promise<Record<string, number>> {
  await mkdir(folder, { recursive: true })
  const counts: Record<string, number> = {}
  const files = new Map<string, { stream: WriteStream, piece: string }>()

  for (const generated of generate(population)) {
    const name = 'row' in generated ? `${generated.relation}.csv` : `${generated.resource.resourceType}.ndjson`
    counts[name] = (counts[name] ?? 0) + 1
    let file = files.get(name)
    if (file === undefined) {
      file = { stream: createWriteStream(join(folder, name)), piece: 'row' in generated ? `${Object.keys(generated.row).join(',')}\n` : '' }
      files.set(name, file)
    }
    file.piece += toLine(generated)
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

function toLine (generated: Generated): string {
  return 'row' in generated ? toCsvLine(generated.row) : `${JSON.stringify(generated.resource)}\n`
}
