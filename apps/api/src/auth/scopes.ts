import { parseResourceScope, type ScopeContext } from '@fhir-bulk-export/core/clients'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { isResourceType, resourceTypes } from '@fhir-bulk-export/core/r4'

/** A context without a well-formed resource scope is not in `readable`. */
export interface ScopedTypes {
  readable: ReadonlyMap<ScopeContext, ReadonlySet<string>>
  /** A scope is about resources, or is unknown: the token may read `readable` and no more. */
  isLimited: boolean
}

/** SMART App Launch 2.2 and OpenID Connect: these are about the person or the session, not about resources. */
const otherScope = /^(openid|profile|fhirUser|launch(\/.*)?|offline_access|online_access)$/s

/**
 * The types that `scope` and `scp` (texts with spaces, lists, or both) let a token read. An export searches a type and reads the
 * resources: it needs `r` and `s`, in one scope or in several; v1's `read` is both. A scope that is malformed or writes alone gives
 * nothing and still limits: an unknown scope never widens.
 * @throws ServiceError FORBIDDEN for a scope narrowed by a search (`Patient.rs?…`): to ignore that would widen it.
 */
export function toScopedTypes (...claims: Array<string | string[] | null | undefined>): ScopedTypes {
  const granted = new Map<ScopeContext, Map<string, string>>()
  const texts = claims.flatMap((claim) => claim ?? [])
  const scopes = new Set(texts.flatMap((text) => text.split(/[ \t\r\n]+/)).filter((scope) => scope !== '' && !otherScope.test(scope)))
  for (const scope of scopes) {
    const parsed = parseResourceScope(scope)
    if (parsed === undefined) continue
    const { context, resource, letters, search } = parsed
    const types = resource === '*' ? resourceTypes : isResourceType(resource) ? [resource] : []
    if (search !== undefined && types.length > 0 && /[rs]/.test(letters)) {
      const shown = `${scope.slice(0, scope.indexOf('?'))}?…`
      throw new ServiceError('FORBIDDEN', `The scope ${shown} is narrowed by a search, which is not supported here`)
    }
    const lettersOf = granted.get(context) ?? new Map<string, string>()
    for (const type of types) lettersOf.set(type, (lettersOf.get(type) ?? '') + letters)
    granted.set(context, lettersOf)
  }
  return { readable: new Map([...granted].map(([context, lettersOf]) => [context, toReadable(lettersOf)])), isLimited: scopes.size > 0 }
}

function toReadable (lettersOf: Map<string, string>): Set<string> {
  return new Set([...lettersOf].filter(([, letters]) => letters.includes('r') && letters.includes('s')).map(([type]) => type))
}
