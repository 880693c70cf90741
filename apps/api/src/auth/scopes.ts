import { parseResourceScope } from '@fhir-bulk-export/core/clients'
import type { ScopeContext } from '@fhir-bulk-export/core/clients'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { isResourceType, resourceTypes } from '@fhir-bulk-export/core/r4'

/** What a token's scopes let it read, by their context. A context without any well-formed resource scope is not in it. */
export interface ScopedTypes {
  readable: ReadonlyMap<ScopeContext, ReadonlySet<string>>
  /** There is a scope that is about resources, or that nobody can say what it is about: the token may read `readable` and no more. */
  isLimited: boolean
}

/** SMART App Launch 2.2 and OpenID Connect: these are about the person or the session, not about resources. */
const otherScope = /^(openid|profile|fhirUser|launch(\/.*)?|offline_access|online_access)$/s

/**
 * The types that `scope` and `scp` (texts with spaces, lists, or both) let a token read. An export searches a type and
 * reads what it finds: it takes `r` and `s`, in one scope or in several; v1's `read` is both. What is about no resource
 * (`openid`) says nothing. A scope that writes alone, or is malformed, gives nothing and still limits: what is not understood never widens.
 * @throws ServiceError FORBIDDEN for a scope narrowed by a search (`Patient.rs?…`): to ignore that would widen it.
 */
export function toScopedTypes (...claims: Array<string | string[] | null | undefined>): ScopedTypes {
  const granted = new Map<ScopeContext, Map<string, string>>()
  const scopes = new Set(claims.flatMap((claim) => claim ?? []).flatMap((text) => text.split(/[ \t\r\n]+/)).filter((scope) => scope !== '' && !otherScope.test(scope)))
  for (const scope of scopes) {
    const parsed = parseResourceScope(scope)
    if (parsed === undefined) continue
    const { context, resource, letters, search } = parsed
    const types = resource === '*' ? resourceTypes : isResourceType(resource) ? [resource] : []
    if (search !== undefined && types.length > 0 && /[rs]/.test(letters)) {
      throw new ServiceError('FORBIDDEN', `The scope ${scope.slice(0, scope.indexOf('?'))}?… is narrowed by a search, which is not supported here`)
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
