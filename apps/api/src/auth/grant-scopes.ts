import { parseResourceScope, type ResourceScope } from '@fhir-bulk-export/core/clients'
import { isResourceType } from '@fhir-bulk-export/core/r4'
import { OAuthError, shorten } from './oauth-error.ts'

/**
 * The requested scopes, reduced to the registered ones, each in the version of its request. `system/*.read` of a client that has
 * `system/Patient.rs` becomes `system/Patient.read`.
 * @throws OAuthError invalid_scope that names a scope which is malformed, of no type of R4, narrowed by a search, or not for a system;
 * or when nothing is left.
 */
export function grantScopes (asked: string, registered: readonly string[]): string {
  const scopes = asked.split(' ').filter((scope) => scope !== '')
  if (scopes.length === 0) throw new OAuthError('invalid_scope', 'scope is missing or empty')
  const allowed = toAllowed(registered)
  const granted = new Set(scopes.map(parse).flatMap((scope) => grant(scope, allowed)))
  if (granted.size === 0) throw new OAuthError('invalid_scope', 'scope: the client may have nothing of what is asked for')
  return [...granted].join(' ')
}

function parse (text: string): ResourceScope {
  const scope = parseResourceScope(text)
  if (scope?.context !== 'system') throw invalid(text, 'expected system/<type or *>.read or .rs')
  if (scope.search !== undefined) throw invalid(text, 'scopes that are narrowed by a search are not supported')
  if (scope.resource !== '*' && !isResourceType(scope.resource)) throw invalid(text, 'there is no such type in FHIR R4')
  if (!/[rs]/.test(scope.letters)) throw invalid(text, 'nothing can be written here')
  return scope
}

/** By type, or `*`: `r`, `s` or both. */
function toAllowed (registered: readonly string[]): Map<string, Set<string>> {
  const allowed = new Map<string, Set<string>>()
  for (const text of registered) {
    const { resource = '', letters = '' } = parseResourceScope(text) ?? {}
    allowed.set(resource, new Set([...allowed.get(resource) ?? [], ...letters]))
  }
  return allowed
}

function grant ({ resource, letters, isV1 }: ResourceScope, allowed: Map<string, Set<string>>): string[] {
  const ofAll = allowed.get('*') ?? new Set<string>()
  const resources = resource === '*' ? [...allowed.keys()] : [resource]
  return resources.flatMap((name) => {
    const own = allowed.get(name)
    const given = ['r', 's'].filter((letter) => letters.includes(letter) && (ofAll.has(letter) || own?.has(letter) === true)).join('')
    if (given === '') return []
    return isV1 && given === 'rs' ? [`system/${name}.read`] : [`system/${name}.${given}`]
  })
}

function invalid (scope: string, problem: string): OAuthError {
  return new OAuthError('invalid_scope', `scope ${shorten(scope)}: ${problem}`)
}
