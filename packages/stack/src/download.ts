import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { CommandError } from './command-error.ts'
import type { ClientOptions, ManifestItem } from './export-client.ts'

/** Streams a file of the manifest to the folder, and compares lines, bytes and SHA-256 with what the manifest says; its path. */
export async function downloadChecked (item: ManifestItem, folder: string, { token, signal }: ClientOptions): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/fhir+ndjson', 'accept-encoding': 'identity' }
  const response = await fetch(item.url, { headers, signal })
  if (!response.ok || response.body === null) throw new CommandError(`${item.url} answered ${response.status}`)

  const path = join(folder, basename(new URL(item.url).pathname))
  const hash = createHash('sha256')
  let count = 0
  let fileSize = 0
  await pipeline(response.body, async function * measure (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      hash.update(chunk)
      fileSize += chunk.length
      count += countLineEnds(chunk)
      yield chunk
    }
  }, createWriteStream(path), { signal })

  const found = { count, fileSize, sha256: hash.digest('hex') }
  const promised = { count: item.count, fileSize: item.extension.fileSize, sha256: item.extension.sha256 }
  for (const [what, value] of Object.entries(promised)) {
    const actual = found[what as keyof typeof found]
    if (actual !== value) throw new CommandError(`${path}: the manifest says ${what} ${value}, the file has ${actual}`)
  }
  return path
}

function countLineEnds (chunk: Uint8Array): number {
  let count = 0
  for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) count++
  return count
}
