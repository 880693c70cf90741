import { toWeight } from './content-coding.ts'
import { splitHeader } from './header-list.ts'

/** Whether an Accept header names the media type itself, with a weight of more than zero (RFC 9110, 12.5.1); ranges such as `*\/*` do not. */
export function namesMediaType (header: string | undefined, type: string): boolean {
  return splitHeader(header ?? '', ',').some((member) => {
    const [range = '', ...parameters] = splitHeader(member, ';').map((part) => part.toLowerCase())
    return range === type && toWeight(parameters) > 0
  })
}
