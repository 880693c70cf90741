import { createHash } from 'node:crypto'
import type { ClientStanding, ScopeContext } from '@fhir-bulk-export/core/clients'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { Value } from '@sinclair/typebox/value'
import { claimsSchema } from './claims.ts'
import type { Claims } from './claims.ts'
import { findPatientId } from './patient-id.ts'
import type { PatientIdOptions } from './patient-id.ts'
import { toScopedTypes } from './scopes.ts'
import type { ScopedTypes } from './scopes.ts'

/**
 * Who asks, as their token says. `requester` is the same for all tokens of one caller and holds nothing of them: a SHA-256.
 * `subject` and `clientId`: as the token has them, for the audit. `client`: registered here, of whom the token is; null: the token is of another issuer. `types`: all of R4 that
 * the token's scopes let it export, never empty; null: its scopes do not limit it.
 */
export type Caller = { issuer: string, subject: string | null, clientId: string | null, requester: string, client: ClientStanding | null, types: ReadonlySet<string> | null } & (
  | { role: 'ADMIN', patientId: null }
  | { role: 'PATIENT', patientId: string }
)

/**
 * The scopes that count beside a role. An ADMIN exports everybody's data: a scope for one patient's gives none of that. What a
 * PATIENT exports is covered by any of them.
 */
const contextsOf: Record<Caller['role'], ScopeContext[]> = { ADMIN: ['system', 'user'], PATIENT: ['patient', 'user', 'system'] }

/**
 * Reads the claims of a token whose signature and times were checked.
 * @throws ServiceError UNAUTHORIZED for claims that cannot be read; FORBIDDEN without a role of ours, for a PATIENT without a
 * usable id, or for scopes that let it read nothing.
 */
export function toCaller (claims: unknown, { client = null, ...options }: PatientIdOptions & { client?: ClientStanding | null }): Caller {
  if (!Value.Check(claimsSchema, claims)) throw new ServiceError('UNAUTHORIZED', 'The bearer token has malformed claims')
  const issuer = claims.iss ?? ''
  const { role, types } = toAccess(claims)
  const named = { issuer, client, subject: claims.sub ?? null, clientId: claims.client_id ?? claims.azp ?? null }
  if (role === 'ADMIN') {
    return { role, ...named, patientId: null, requester: toRequester(role, issuer, ...toSubject(claims)), types }
  }
  const patientId = findPatientId(claims, options)
  if (patientId === undefined) throw new ServiceError('FORBIDDEN', 'The bearer token of a PATIENT has no usable patient id')
  return { role, ...named, patientId, requester: toRequester(role, issuer, patientId), types }
}

/** A token without a subject is its client's (RFC 9068: `client_id`, OpenID Connect: `azp`): two clients of an issuer are two callers. */
function toSubject ({ sub, client_id: clientId, azp }: Claims): string[] {
  return sub === undefined ? ['client', clientId ?? azp ?? ''] : [sub]
}

type Access = Pick<Caller, 'role' | 'types'>

/** Roles decide first; scopes then narrow the types. Without any role the scopes are it: `system/` an ADMIN, `patient/` a PATIENT. */
function toAccess (claims: Claims): Access {
  const scoped = toScopedTypes(claims.scope, claims.scp)
  const claimed = [claims.role, claims.roles].flat().filter((role) => role !== undefined && role !== null)
  if (claimed.length > 0) {
    const role = toRole(claimed)
    return scoped.isLimited ? toLimited(role, scoped, contextsOf[role]) : { role, types: null }
  }
  if (!scoped.isLimited) throw new ServiceError('FORBIDDEN', 'The bearer token has no role and no scope that may export')
  return collect(scoped, ['system']).size > 0 ? toLimited('ADMIN', scoped, ['system']) : toLimited('PATIENT', scoped, ['patient'])
}

function toLimited (role: Caller['role'], scoped: ScopedTypes, contexts: ScopeContext[]): Access {
  const types = collect(scoped, contexts)
  if (types.size === 0) throw new ServiceError('FORBIDDEN', 'The scopes of the bearer token let it read no resource type')
  return { role, types }
}

function toRole (claimed: unknown[]): Caller['role'] {
  const names = claimed.filter((role) => typeof role === 'string')
  // Not by toUpperCase, which makes ADMIN of "adm\u0131n". Without the flag u, i takes no other letter for one of ASCII.
  if (names.some((name) => /^admin$/i.test(name))) return 'ADMIN'
  if (names.some((name) => /^patient$/i.test(name))) return 'PATIENT'
  throw new ServiceError('FORBIDDEN', 'The bearer token has no role that may export')
}

function collect (scoped: ScopedTypes, contexts: ScopeContext[]): Set<string> {
  return new Set(contexts.flatMap((context) => [...scoped.readable.get(context) ?? []]))
}

function toRequester (...identity: string[]): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex')
}
