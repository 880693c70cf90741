import type { IncomingHttpHeaders } from 'node:http'
import { splitHeader, unquote } from './header-list.ts'

/**
 * How long an answer may be used again, in milliseconds (RFC 9111, 4.2 and 5.2.2, for a private cache). Undefined without
 * Cache-Control. A malformed max-age counts as 0.
 */
export function toFreshnessMs (headers: IncomingHttpHeaders): number | undefined {
  const header = headers['cache-control']
  if (header === undefined) return undefined
  const directives = new Map(splitHeader(header, ',').map((directive) => {
    const [name = '', value = ''] = directive.split('=', 2).map((part) => part.trim())
    return [name.toLowerCase(), unquote(value)] as const
  }))
  if (directives.has('no-store') || directives.has('no-cache')) return 0
  const maxAge = directives.get('max-age')
  return maxAge === undefined ? undefined : Math.max(0, toSeconds(maxAge) - toSeconds(headers.age ?? '')) * 1_000
}

function toSeconds (text: string): number {
  return /^[0-9]{1,10}$/.test(text) ? Number(text) : 0
}
