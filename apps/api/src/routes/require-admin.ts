import { ServiceError } from '@fhir-bulk-export/core/errors'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifyRequest } from 'fastify'
import { coversTypes } from '../auth/access.ts'

/** An onRequest hook for what is about more than one patient: before the body is looked at. */
export async function requireAdmin ({ caller }: FastifyRequest): Promise<void> {
  if (caller.role !== 'ADMIN') throw new ServiceError('FORBIDDEN', 'Only an ADMIN may do this: a PATIENT exports at /Patient/$export')
}

/** After requireAdmin: Bulk Data 3.0.0, Security Considerations: a group only for those whose scopes let them read it (`system/Group.rs`). */
export async function requireGroupScope ({ caller }: FastifyRequest): Promise<void> {
  if (!coversTypes(caller, ['Group'])) throw new ServiceError('FORBIDDEN', 'The scopes of the bearer token do not cover Group')
}

/** For what is not about a group: a registered client may be held to groups. */
export async function refuseClientOfGroups ({ caller }: FastifyRequest): Promise<void> {
  if (caller.client?.group_ids != null) throw new ServiceError('FORBIDDEN', 'This client is held to groups: it exports them at /Group/<id>/$export')
}

const groupParams = Type.Object({ id: Type.String() })

/** For a route of one group, before it is said whether there is such a group. */
export async function requireOwnGroup ({ caller, params }: FastifyRequest): Promise<void> {
  const own = caller.client?.group_ids
  if (own != null && !own.includes(Value.Decode(groupParams, params).id)) throw new ServiceError('FORBIDDEN', 'This client is held to other groups')
}
