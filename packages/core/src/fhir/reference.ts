import type { Reference } from 'fhir/r4.js'
import { ElementError } from './element-error.ts'
import { checkString, checkUri } from './primitives.ts'
import { resourceTypes } from './resource-types.ts'

/** Types that an export may hold, so that a literal reference can be followed. */
export type LiteralType = 'Patient' | 'DocumentReference' | 'Consent' | 'Provenance' | 'Group'
const literalTypes: ReadonlySet<string> = new Set<LiteralType>(['Patient', 'DocumentReference', 'Consent', 'Provenance', 'Group'])

const uriSystem = 'urn:ietf:rfc:3986'
const relative = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/
const conditional = /^([A-Z][A-Za-z]+)\?identifier=([^&]+)$/
const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$/
const typeInUrl = /\/([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/

/**
 * A reference that can be followed or understood outside its server: `Type/id` only for types that an export holds (an
 * export has one version of each), any other `{type, identifier, display}`. What is so already comes back as it is.
 * Throws ElementError for what is no reference, and for what refers to a contained resource.
 */
export function toHeldReference (reference: Reference): Reference {
  const literal = reference.reference
  if (literal === undefined) return reference
  if (literal.startsWith('#')) throw new ElementError('refers to a contained resource, which is not held', 'reference')

  const [, type, id] = relative.exec(literal) ?? []
  if (type !== undefined && id !== undefined && resourceTypes.has(type)) {
    if (!literalTypes.has(type)) return logical(reference, type, { value: id })
    if ((reference.type ?? type) !== type) throw new ElementError('differs from the type that the reference names', 'type')
    const held = `${type}/${id}`
    return held === literal ? reference : { ...reference, reference: held }
  }
  const [, searched, token] = conditional.exec(literal) ?? []
  if (searched !== undefined && token !== undefined && resourceTypes.has(searched)) {
    return logical(reference, searched, toIdentifier(token))
  }
  if (absolute.test(literal)) {
    const named = typeInUrl.exec(literal)?.[1]
    const known = named !== undefined && resourceTypes.has(named) ? named : undefined
    return logical(reference, known, { system: uriSystem, value: literal })
  }
  throw new ElementError('is not a reference: neither Type/id, Type?identifier=system|value nor a URL', 'reference')
}

/** The id in `Type/id`, as a held reference writes it. */
export function referencedId (reference: Reference, type: LiteralType): string | undefined {
  const literal = reference.reference
  return literal?.startsWith(`${type}/`) ? literal.slice(type.length + 1) : undefined
}

/** An identifier that came with the reference says more than one made of its address. */
function logical (reference: Reference, type: string | undefined, identifier: { system?: string, value?: string }): Reference {
  const known = reference.type ?? type
  return {
    ...(known === undefined ? {} : { type: known }),
    identifier: reference.identifier ?? identifier,
    ...(reference.display === undefined ? {} : { display: reference.display }),
  }
}

/** `system|value`, `|value`, `value` or `system|`: a token of a FHIR search, with `\|` for a bar inside. */
function toIdentifier (token: string): { system?: string, value?: string } {
  const parts = decode(token).split(/(?<!\\)\|/, 2).map(part => part.replace(/\\([\\|,$])/g, '$1').trim())
  const [system, value] = parts.length === 1 ? ['', parts[0] ?? ''] : [parts[0] ?? '', parts[1] ?? '']
  if (system === '' && value === '') throw new ElementError('names no identifier', 'reference')
  return { ...(system === '' ? {} : { system: checkUri(system) }), ...(value === '' ? {} : { value: checkString(value) }) }
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
