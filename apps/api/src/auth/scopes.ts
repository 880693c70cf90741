import { ServiceError } from '@fhir-bulk-export/core/errors'
import { isResourceType, resourceTypes } from '@fhir-bulk-export/core/r4'

export type ScopeContext = 'system' | 'user' | 'patient'

/** What a token's resource scopes let it read, by their context. A context without any resource scope is not in it. */
export type ScopedTypes = ReadonlyMap<ScopeContext, ReadonlySet<string>>

/** SMART App Launch 2.2, Scopes: v1 `system/Patient.read`, v2 `system/Patient.rs?parameter=value`. */
const resourceScope = /^(system|user|patient)\/([^.?]*)(?:\.([^?]*))?(\?.*)?$/s
const v1Permissions = new Map([['read', 'rs'], ['write', 'cud'], ['*', 'cruds']])
const v2Permissions = /^(?=.)c?r?u?d?s?$/

/**
 * The types that `scope` and `scp` (texts with spaces, lists, or both) let a token read. An export searches a type and
 * reads what it finds: it takes `r` and `s`, in one scope or in several; v1's `read` is both. What is no resource scope
 * (`openid`) says nothing; one that writes alone, or that we cannot read, gives nothing.
 * @throws ServiceError FORBIDDEN for a scope narrowed by a search (`Patient.rs?…`): to ignore that would widen it.
 */
export function toScopedTypes (...claims: Array<string | string[] | null | undefined>): ScopedTypes {
  const granted = new Map<ScopeContext, Map<string, string>>()
  for (const scope of claims.flatMap((claim) => claim ?? []).flatMap((text) => text.split(/\s+/))) {
    const [, context, resource = '', permission = '', search] = resourceScope.exec(scope) ?? []
    if (context !== 'system' && context !== 'user' && context !== 'patient') continue
    const letters = toLetters(permission)
    const types = resource === '*' ? resourceTypes : isResourceType(resource) ? [resource] : []
    if (search !== undefined && types.length > 0 && /[rs]/.test(letters)) {
      throw new ServiceError('FORBIDDEN', `The scope ${context}/${resource}.${permission}?… is narrowed by a search, which is not supported here`)
    }
    const lettersOf = granted.get(context) ?? new Map<string, string>()
    for (const type of types) lettersOf.set(type, (lettersOf.get(type) ?? '') + letters)
    granted.set(context, lettersOf)
  }
  return new Map([...granted].map(([context, lettersOf]) => [context, toReadable(lettersOf)]))
}

function toLetters (permission: string): string {
  return v1Permissions.get(permission) ?? (v2Permissions.test(permission) ? permission : '')
}

function toReadable (lettersOf: Map<string, string>): Set<string> {
  return new Set([...lettersOf].filter(([, letters]) => letters.includes('r') && letters.includes('s')).map(([type]) => type))
}
