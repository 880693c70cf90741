import type { IncomingHttpHeaders } from 'node:http'
import { constants, createGzip, type Gzip } from 'node:zlib'
import { findMatch, meetsIfMatch, selectRange } from '../../http/conditions.ts'
import { selectCoding, type ContentCoding } from '../../http/content-coding.ts'
import type { ByteRange } from '@fhir-bulk-export/core/store'

/** The answer to a request for a file. Each coding has a strong ETag of its own (RFC 9110, 8.8.3.3). */
export type Representation =
  | { kind: 'other-version' }
  | { kind: 'not-modified', etag: string }
  | { kind: 'unsatisfiable' }
  | { kind: 'content', etag: string, coding: ContentCoding, range: ByteRange | undefined }

/** A Range is for GET alone (RFC 9110, 14.2), and counts the bytes of the file: its answer is never gzip. */
export function selectRepresentation (
  method: string, headers: IncomingHttpHeaders, { sha256, size }: { sha256: string, size: number }
): Representation {
  const etags = { identity: `"${sha256}"`, gzip: `"${sha256}-gzip"` }
  if (!meetsIfMatch(headers, etags.identity, etags.gzip)) return { kind: 'other-version' }
  const asksForRange = method === 'GET' && headers.range !== undefined
  const coding = asksForRange ? 'identity' : selectCoding(headers['accept-encoding'])
  // Both codings are the same file: a client that has either needs none.
  const known = findMatch(headers, etags[coding], etags.identity, etags.gzip)
  if (known !== undefined) return { kind: 'not-modified', etag: known }
  const range = asksForRange ? selectRange(headers, { etag: etags.identity, size }) : undefined
  if (range === 'unsatisfiable') return { kind: 'unsatisfiable' }
  return { kind: 'content', etag: etags[coding], coding, range }
}

/** The fastest level: NDJSON shrinks to a tenth, and slower levels make the processor the bottleneck. */
export function createCompression (): Gzip {
  return createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 64 * 1024 })
}
