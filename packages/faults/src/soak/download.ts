import type { ManifestItem } from '@fhir-bulk-export/core/exports'
import type { Answer, RequestOptions } from '@fhir-bulk-export/stack/client'
import { createMeter } from '@fhir-bulk-export/stack/client/download'
import type { Random } from '@fhir-bulk-export/stack/random'
import { unexpected } from './client.ts'
import type { Figures } from './figures.ts'
import { askAndLeave, type Ask } from './http.ts'

/** The file, whole and as the manifest has it; 'gone': its export is. @throws where it is not as promised. */
export async function download (
  ask: Ask, item: ManifestItem, headers: Record<string, string>, random: Random, figures: Figures
): Promise<Buffer | 'gone'> {
  const url = item.url.startsWith('ipfs:') ? item.extension.url ?? '' : item.url
  const asking = { headers: { ...headers, 'accept-encoding': random.chance(0.3) ? 'gzip' : 'identity' } }
  const answer = random.chance(0.15)
    ? await downloadTwice(ask, url, headers, random.integer(1, item.extension.fileSize), figures)
    : await ask(url, asking)
  if (answer.status === 404) return 'gone'
  if (answer.status !== 200) throw unexpected(url, answer)
  const { bytes } = answer
  figures.files++
  figures.bytes += bytes.length
  const meter = createMeter()
  meter.add(bytes)
  meter.assertAsPromised({ ...item, url })
  return bytes
}

/** Broken off in the middle, and gone on with by a Range. */
async function downloadTwice (ask: Ask, url: string, headers: Record<string, string>, middle: number, figures: Figures): Promise<Answer> {
  const plain: RequestOptions = { headers: { ...headers, 'accept-encoding': 'identity' } }
  const begun = await askAndLeave(url, plain, middle)
  const etag = begun?.headers.etag
  if (begun?.status !== 200 || etag === undefined || begun.bytes.length < middle) return await ask(url, plain)
  const rest = await ask(url, { headers: { ...plain.headers, range: `bytes=${middle}-`, 'if-range': etag } })
  if (rest.status !== 206) return rest.status === 416 ? await ask(url, plain) : rest // the middle was the end
  figures.resumed++
  return { ...rest, status: 200, bytes: Buffer.concat([begun.bytes.subarray(0, middle), rest.bytes]) }
}
