import { ServiceError } from '@fhir-bulk-export/core/errors'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifyRequest } from 'fastify'
import { coversTypes } from '../auth/access.ts'

/** An onRequest hook for exports and groups of several patients: before the body is read. @throws ServiceError FORBIDDEN */
export async function requireAdmin ({ caller }: FastifyRequest): Promise<void> {
  if (caller.role === 'ADMIN') return
  throw new ServiceError('FORBIDDEN', 'Only an ADMIN may do this: a PATIENT exports at /Patient/$export')
}

/**
 * After requireAdmin. Bulk Data 3.0.0, Security Considerations: the scopes have to cover Group (`system/Group.rs`).
 * @throws ServiceError FORBIDDEN
 */
export async function requireGroupScope ({ caller }: FastifyRequest): Promise<void> {
  if (!coversTypes(caller, ['Group'])) throw new ServiceError('FORBIDDEN', 'The scopes of the bearer token do not cover Group')
}

/** For routes without a group: a registered client may be held to groups. @throws ServiceError FORBIDDEN */
export async function refuseClientOfGroups ({ caller }: FastifyRequest): Promise<void> {
  if (caller.client?.group_ids == null) return
  throw new ServiceError('FORBIDDEN', 'This client is held to groups: it exports them at /Group/<id>/$export')
}

const groupParams = Type.Object({ id: Type.String() })

/** For a route of one group, before its existence is looked up. @throws ServiceError FORBIDDEN */
export async function requireAllowedGroup ({ caller, params }: FastifyRequest): Promise<void> {
  const allowed = caller.client?.group_ids
  if (allowed == null || allowed.includes(Value.Decode(groupParams, params).id)) return
  throw new ServiceError('FORBIDDEN', 'This client is held to other groups')
}
