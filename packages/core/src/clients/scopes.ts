import { ServiceError } from '../errors.ts'
import { isResourceType } from '../r4/index.ts'

export type ScopeContext = 'system' | 'user' | 'patient'

/** SMART App Launch 2.2, Scopes for Clinical Data. */
export interface ResourceScope {
  context: ScopeContext
  /** A resource type, which FHIR may not have, or `*`. */
  resource: string
  /** Of `cruds`, in this order; v1's `read` is `rs`, `write` is `cud`, `*` is `cruds`. */
  letters: string
  isV1: boolean
  /** After `?`: only the resources that this search finds. */
  search: string | undefined
}

const resourceScope = /^(system|user|patient)\/(\*|[A-Z][A-Za-z]*)\.(read|write|\*|(?=[a-z])c?r?u?d?s?)(\?.*)?$/s
const v1Permissions = new Map([['read', 'rs'], ['write', 'cud'], ['*', 'cruds']])

/** v1 `system/Patient.read`, v2 `system/Patient.rs?parameter=value`. Undefined for any other text. */
export function parseResourceScope (scope: string): ResourceScope | undefined {
  const [, context, resource = '', permission = '', search] = resourceScope.exec(scope) ?? []
  if (context !== 'system' && context !== 'user' && context !== 'patient') return undefined
  const v1 = v1Permissions.get(permission)
  return { context, resource, letters: v1 ?? permission, isV1: v1 !== undefined, search }
}

/**
 * The scopes of a registered client, without duplicates. Each reads a whole type of R4, or all types.
 * @throws ServiceError INVALID_PARAMETER that names the scope.
 */
export function toClientScopes (texts: string[]): string[] {
  const scopes = [...new Set(texts.flatMap((text) => text.split(/\s+/)).filter((scope) => scope !== ''))]
  if (scopes.length === 0) throw new ServiceError('INVALID_PARAMETER', 'A client has at least one scope (--scope system/*.rs)')
  for (const scope of scopes) {
    const { context, resource, letters = '', search } = parseResourceScope(scope) ?? {}
    const isKnown = context === 'system' && search === undefined && (resource === '*' || isResourceType(resource ?? ''))
    if (!isKnown || !/^(r|s|rs)$/.test(letters)) {
      throw new ServiceError('INVALID_PARAMETER', `'${scope}' is no scope of a client: system/<type of R4, or *>.rs or .read is expected`)
    }
  }
  return scopes
}
