import type { Attachment } from 'fhir/r4.js'
import { ElementError } from './element-error.ts'
import { base64Binary, code, dateTime, string, unsignedInt, uri } from './primitives.ts'
import { object, refine, type Scope } from './reading.ts'

export const attachment = refine(object<Attachment>({
  contentType: code,
  language: code,
  data: base64Binary,
  url: uri,
  size: unsignedInt,
  hash: base64Binary,
  title: string,
  creation: dateTime,
}), (given, scope) => scope.purpose === 'load' ? checkAttachment(given) : toExported(given, scope))

/** att-1 */
function checkAttachment (given: Attachment): Attachment {
  if (given.data !== undefined && given.contentType === undefined) throw new ElementError('is required beside data', 'contentType')
  return given
}

/**
 * Data or a url, not both; a url only where a client may send our token: absolute and under one of the configured bases.
 * Whatever is left out is noted, so that the export can say so.
 */
function toExported (given: Attachment, scope: Scope): Attachment {
  const contentType = given.contentType ?? 'application/octet-stream'
  if (given.url === undefined) return given.contentType === undefined ? { contentType, ...given } : given
  if (given.data === undefined && isUnder(given.url, scope.attachmentBaseUrls)) return { contentType, ...given }
  scope.notes.push({
    path: 'url',
    remark: given.data === undefined ? 'is left out: not under ATTACHMENT_BASE_URLS' : 'is left out: the data is inline',
  })
  const { url: _url, ...rest } = given
  return { contentType, ...rest }
}

/** Compared as URL parsers see it: `..` resolved, no look-alike hosts. Backslashes and credentials are read differently by different parsers. */
function isUnder (url: string, bases: readonly string[]): boolean {
  const address = URL.parse(url)
  if (address === null || !/^https?:$/.test(address.protocol)) return false
  if (url.includes('\\') || address.username !== '' || address.password !== '') return false
  return bases.some(function isBase (base) {
    const root = URL.parse(base)
    if (root === null || root.origin !== address.origin) return false
    return address.pathname.startsWith(root.pathname.endsWith('/') ? root.pathname : `${root.pathname}/`) || address.pathname === root.pathname
  })
}
