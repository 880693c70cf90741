import type { IncomingHttpHeaders } from 'node:http'
import type { ByteRange } from '@fhir-bulk-export/core/store'

/** Whether If-Match allows an answer, by any of the file's ETags (RFC 9110, 13.1.1: strong comparison). */
export function meetsIfMatch (headers: IncomingHttpHeaders, ...etags: string[]): boolean {
  const wanted = headers['if-match']
  if (wanted === undefined || wanted.trim() === '*') return true
  return wanted.split(',').some((member) => etags.includes(member.trim()))
}

/** The first of these ETags that If-None-Match names (RFC 9110, 13.1.2: weak comparison), for `*` the first; undefined: none. */
export function findMatch (headers: IncomingHttpHeaders, ...etags: [string, ...string[]]): string | undefined {
  const known = headers['if-none-match']
  if (known === undefined) return undefined
  if (known.trim() === '*') return etags[0]
  const members = known.split(',').map((member) => member.trim().replace(/^W\//, ''))
  return etags.find((etag) => members.includes(etag))
}

/**
 * The range that a GET asks for; undefined: the whole file. A Range that is malformed or has several ranges is ignored, as RFC 9110,
 * 14.2 allows, and a Range for another version of the file, too (13.1.5: If-Range, strong comparison; a date never matches).
 */
export function selectRange (
  headers: IncomingHttpHeaders, { etag, size }: { etag: string, size: number }
): ByteRange | 'unsatisfiable' | undefined {
  const { range } = headers
  const ifRange = headers['if-range']
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return undefined
  const [, first = '', last = ''] = /^bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*$/i.exec(range) ?? []
  if (first === '' && last === '') return undefined
  if (first === '') return Number(last) === 0 ? 'unsatisfiable' : { start: Math.max(0, size - Number(last)), end: size }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return undefined
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}
