import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { CommandError } from '../command-error.ts'
import type { ClientOptions, ManifestItem } from './export.ts'
import { open } from './http.ts'

/** Streams a file of the manifest to the folder, and compares lines, bytes and SHA-256 with what the manifest says; its path. */
export async function downloadChecked (item: ManifestItem, folder: string, { token, signal }: ClientOptions): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/fhir+ndjson', 'accept-encoding': 'identity' }
  const response = await open(item.url, { headers, signal })
  if (response.statusCode !== 200) throw new CommandError(`${item.url} answered ${response.statusCode}`)

  const path = join(folder, basename(new URL(item.url).pathname))
  const meter = createMeter()
  await pipeline(response, async function * measure (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      meter.add(chunk)
      yield chunk
    }
  }, createWriteStream(path), { signal })
  meter.assertAsPromised(item)
  return path
}

/** Counts and hashes the bytes of a file. `assertAsPromised` throws where the manifest says something else. */
export function createMeter (): { add: (chunk: Uint8Array) => void, assertAsPromised: (item: ManifestItem) => void } {
  const hash = createHash('sha256')
  const found = { count: 0, fileSize: 0 }
  return {
    add (chunk) {
      hash.update(chunk)
      found.fileSize += chunk.length
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) found.count++
    },
    assertAsPromised ({ url, count, extension: { fileSize, sha256 } }) {
      const promised = { count, fileSize, sha256 }
      const actual = { ...found, sha256: hash.digest('hex') }
      for (const name of ['count', 'fileSize', 'sha256'] as const) {
        if (actual[name] !== promised[name]) {
          throw new CommandError(`${url}: the manifest says ${name} ${promised[name]}, the file has ${actual[name]}`)
        }
      }
    },
  }
}
