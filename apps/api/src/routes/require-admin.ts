import { ServiceError } from '@fhir-bulk-export/core/errors'
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
