import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ServiceError } from '../errors.ts'

export interface SourceFile { readonly path: string, readonly bytes: number }

/**
 * The files that paths stand for: a file itself, or every `*.ndjson`, `*.ndjson.gz` and `*.json` below a folder, by name.
 * @throws ServiceError NOT_FOUND for a path that does not exist and a folder without such files.
 */
export async function findFiles (paths: readonly string[]): Promise<SourceFile[]> {
  const found = new Map<string, SourceFile>()
  for (const path of paths) {
    const files = await expand(path)
    if (files.length === 0) throw new ServiceError('NOT_FOUND', `There is no .ndjson, .ndjson.gz or .json file below ${path}`)
    for (const file of files) found.set(file.path, file)
  }
  return [...found.values()]
}

async function expand (path: string): Promise<SourceFile[]> {
  const found = await stat(path).catch(function explain (cause: NodeJS.ErrnoException): never {
    throw new ServiceError('NOT_FOUND', `${path} cannot be read (${cause.code ?? cause.message})`, { cause })
  })
  if (!found.isDirectory()) return [{ path, bytes: found.size }]
  const names = (await readdir(path, { recursive: true })).filter(name => /\.(?:ndjson|ndjson\.gz|json)$/.test(name)).sort()
  const files: SourceFile[] = []
  for (const name of names) files.push(...await expand(join(path, name)))
  return files
}
