import { createHash } from 'node:crypto'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { Value } from '@sinclair/typebox/value'
import { claimsSchema } from './claims.ts'
import type { Claims } from './claims.ts'
import { findPatientId } from './patient-id.ts'
import type { PatientIdOptions } from './patient-id.ts'

/** Who asks, as their token says. `requester` is the same for all tokens of one caller and holds nothing of them: a SHA-256. */
export type Caller = { issuer: string, requester: string } & (
  | { role: 'ADMIN', patientId: null }
  | { role: 'PATIENT', patientId: string }
)

/**
 * Reads the claims of a token whose signature and times were checked.
 * @throws ServiceError UNAUTHORIZED for claims that cannot be read; FORBIDDEN without a role of ours, or for a PATIENT without a usable id.
 */
export function toCaller (claims: unknown, options: PatientIdOptions): Caller {
  if (!Value.Check(claimsSchema, claims)) throw new ServiceError('UNAUTHORIZED', 'The bearer token has malformed claims')
  const issuer = claims.iss ?? ''
  const roles = toRoles(claims)
  if (roles.has('ADMIN')) {
    return { role: 'ADMIN', issuer, patientId: null, requester: toRequester('ADMIN', issuer, claims.sub ?? '') }
  }
  if (!roles.has('PATIENT')) throw new ServiceError('FORBIDDEN', 'The bearer token has no role that may export')
  const patientId = findPatientId(claims, options)
  if (patientId === undefined) throw new ServiceError('FORBIDDEN', 'The bearer token of a PATIENT has no usable patient id')
  return { role: 'PATIENT', issuer, patientId, requester: toRequester('PATIENT', issuer, patientId) }
}

function toRoles ({ role, roles }: Claims): Set<string> {
  return new Set([role, roles].flat().filter((name) => typeof name === 'string').map((name) => name.toUpperCase()))
}

function toRequester (...identity: string[]): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex')
}
