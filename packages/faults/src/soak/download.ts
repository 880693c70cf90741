import { createHash } from 'node:crypto'
import type { ManifestItem } from '@fhir-bulk-export/core/exports'
import type { Random } from '@fhir-bulk-export/stack/random'
import { unexpected } from './client.ts'
import type { Figures } from './figures.ts'
import { askAndLeave } from './http.ts'
import type { Answer, Ask, Asking } from './http.ts'

/** The file, whole and as the manifest has it; 'gone': its export is. @throws where it is not as promised. */
export async function download (ask: Ask, item: ManifestItem, headers: Record<string, string>, random: Random, figures: Figures): Promise<Buffer | 'gone'> {
  const url = item.url.startsWith('ipfs:') ? item.extension.url ?? '' : item.url
  const asking = { headers: { ...headers, 'accept-encoding': random.chance(0.3) ? 'gzip' : 'identity' } }
  const answer = random.chance(0.15) ? await downloadTwice(ask, url, headers, random.integer(1, item.extension.fileSize), figures) : await ask(url, asking)
  if (answer.status === 404) return 'gone'
  if (answer.status !== 200) throw unexpected(url, answer)
  const { bytes } = answer
  figures.files++
  figures.bytes += bytes.length
  const found = { sha256: createHash('sha256').update(bytes).digest('hex'), fileSize: bytes.length, count: countLines(bytes) }
  const promised = { ...item.extension, count: item.count }
  for (const what of ['fileSize', 'count', 'sha256'] as const) {
    if (found[what] !== promised[what]) throw new Error(`${url}: the manifest says ${what} ${promised[what]}, the file has ${found[what]}`)
  }
  return bytes
}

/** Broken off in the middle, and gone on with by a Range. */
async function downloadTwice (ask: Ask, url: string, headers: Record<string, string>, middle: number, figures: Figures): Promise<Answer> {
  const plain: Asking = { headers: { ...headers, 'accept-encoding': 'identity' } }
  const begun = await askAndLeave(url, plain, middle)
  const etag = begun?.headers.get('etag')
  if (begun?.status !== 200 || etag == null || begun.bytes.length < middle) return await ask(url, plain)
  const rest = await ask(url, { headers: { ...plain.headers, range: `bytes=${middle}-`, 'if-range': etag } })
  if (rest.status !== 206) return rest.status === 416 ? await ask(url, plain) : rest // the middle was the end
  figures.resumed++
  return { ...rest, status: 200, bytes: Buffer.concat([begun.bytes.subarray(0, middle), rest.bytes]) }
}

function countLines (bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count++
  return count
}
