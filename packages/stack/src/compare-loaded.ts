import { hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { parseExact, toCanonical, type Parsed } from './canonical.ts'
import { CommandError } from './command-error.ts'

export interface Comparison {
  /** Resources that came back as they were loaded. */
  equal: number
  /** Lines of which no resource was loaded: of rows with columns. */
  others: number
  /** Resources that did not come back; `load` has told why. */
  missing: number
}

/**
 * Compares exported files with the resources in a folder of FHIR data (`.ndjson`, `.ndjson.gz`, `.json` of a resource or a Bundle), value
 * by value and digit by digit. It keeps digests rather than resources: a million take some 200 MB.
 * @throws CommandError that names the first which are not equal.
 */
export async function compareWithLoaded (exported: string[], folder: string): Promise<Comparison> {
  const loaded = await readLoaded(folder)
  const different: string[] = []
  const comparison = { equal: 0, others: 0, missing: loaded.size }
  for (const path of exported) {
    for await (const line of readLines(path)) {
      const resource = parseExact(line)
      const digests = loaded.get(toName(resource))
      if (digests === undefined) comparison.others++
      else if (digests.includes(digest(resource))) comparison.equal++
      else different.push(toName(resource))
      if (digests !== undefined) comparison.missing--
    }
  }
  if (different.length > 0) {
    throw new CommandError(`${different.length} resources are not as they were loaded: ${different.slice(0, 10).join(', ')}`)
  }
  return comparison
}

/** Digests by `Type/id`, in different versions where there are some. A resource without an id is given one, and cannot be found again. */
async function readLoaded (folder: string): Promise<Map<string, string[]>> {
  const loaded = new Map<string, string[]>()
  for (const name of await readdir(folder, { recursive: true })) {
    for await (const resource of readResources(join(folder, name))) {
      if (resource.id !== undefined) loaded.set(toName(resource), [...loaded.get(toName(resource)) ?? [], digest(resource)])
    }
  }
  return loaded
}

async function * readResources (path: string): AsyncGenerator<Parsed> {
  if (path.endsWith('.json')) {
    const document = tryToParse(await readFile(path, 'utf8'))
    if (document?.resourceType !== 'Bundle') yield * document === undefined ? [] : [document]
    else yield * (document.entry ?? []).flatMap(({ resource }) => resource ?? [])
  } else if (path.endsWith('.ndjson') || path.endsWith('.ndjson.gz')) {
    for await (const line of readLines(path)) {
      const resource = tryToParse(line)
      if (resource !== undefined) yield resource
    }
  }
}

async function * readLines (path: string): AsyncGenerator<string> {
  const file = createReadStream(path)
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file
  for await (const line of createInterface({ input })) if (line.trim() !== '') yield line
}

/** Undefined for what is no JSON. */
function tryToParse (json: string): Parsed | undefined {
  try {
    return parseExact(json.replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
}

function toName ({ resourceType, id }: Parsed): string {
  return `${resourceType}/${id}`
}

function digest (resource: Parsed): string {
  return hash('sha256', toCanonical(resource), 'base64')
}
