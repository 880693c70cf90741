import Negotiator from 'negotiator'
import { toWeight } from './content-coding.ts'
import { splitHeader } from './header-list.ts'

/** Whether an Accept header names the media type itself, and no range such as `*\/*`, with a weight above zero (RFC 9110, 12.5.1). */
export function namesMediaType (header: string | undefined, type: string): boolean {
  return toAccepted(header).includes(type)
}

/** The first of `types` unless an Accept header prefers another one of them. */
export function selectMediaType (header: string | undefined, types: readonly [string, ...string[]]): string {
  return new Negotiator({ headers: { accept: header } }).mediaType([...types]) ?? types[0]
}

/** http://hl7.org/fhir/R4/http.html#mime-type, and other spellings of clients. */
const xml = /^(application|text)\/(xml|fhir\+xml|xml\+fhir)$/

/** Whether an Accept header takes XML and nothing else. */
export function takesXmlAlone (header: string | undefined): boolean {
  const accepted = toAccepted(header)
  return accepted.length > 0 && accepted.every((range) => xml.test(range))
}

/** Media ranges, in lower case, without parameters. */
function toAccepted (header: string | undefined): string[] {
  return splitHeader(header ?? '', ',').flatMap((member) => {
    const [range = '', ...parameters] = splitHeader(member, ';').map((part) => part.toLowerCase())
    return toWeight(parameters) > 0 ? [range] : []
  })
}
