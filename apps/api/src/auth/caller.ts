import { createHash } from 'node:crypto'
import type { ClientStanding, ScopeContext } from '@fhir-bulk-export/core/clients'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { Value } from '@sinclair/typebox/value'
import { claimsSchema, type Claims } from './claims.ts'
import { findPatientId, type PatientIdOptions } from './patient-id.ts'
import { toScopedTypes, type ScopedTypes } from './scopes.ts'

interface Identity {
  issuer: string
  /** For the audit, as the token has them. */
  subject: string | null
  clientId: string | null
  /** A SHA-256, the same for all tokens of one caller. */
  requester: string
  /** The registered client of the token; null: the token is of another issuer. */
  client: ClientStanding | null
  /** R4's types that the scopes of the token let it export, never empty; null: the scopes do not limit it. */
  types: ReadonlySet<string> | null
}

/** The bearer of a request's token. */
export type Caller = Identity & ({ role: 'ADMIN', patientId: null } | { role: 'PATIENT', patientId: string })

/**
 * The scopes that count beside a role. An ADMIN exports the data of all patients: a scope for one patient gives none of them. Any
 * scope covers the data of a PATIENT.
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

/** Without a subject, `client_id` (RFC 9068) or `azp` (OpenID Connect) tells two callers of an issuer apart. */
function toSubject ({ sub, client_id: clientId, azp }: Claims): string[] {
  return sub === undefined ? ['client', clientId ?? azp ?? ''] : [sub]
}

type Access = Pick<Caller, 'role' | 'types'>

/** Roles decide first, and scopes narrow the types. Without a role, `system/` scopes make an ADMIN, `patient/` scopes a PATIENT. */
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
  // toUpperCase would make ADMIN of "adm\u0131n"; the flag i without u takes no other letter for one of ASCII.
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
