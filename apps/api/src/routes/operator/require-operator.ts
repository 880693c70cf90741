import { ServiceError } from '@fhir-bulk-export/core/errors'
import { resourceTypes } from '@fhir-bulk-export/core/r4'
import type { FastifyRequest } from 'fastify'
import { coversTypes } from '../../auth/access.ts'
import { refuseClientOfGroups, requireAdmin } from '../require-admin.ts'

/**
 * An onRequest hook for the exports of all callers: an ADMIN whose token is limited neither to types nor to groups.
 * @throws ServiceError FORBIDDEN
 */
export async function requireOperator (request: FastifyRequest): Promise<void> {
  await requireAdmin(request)
  await refuseClientOfGroups(request)
  if (!coversTypes(request.caller, resourceTypes)) {
    throw new ServiceError('FORBIDDEN',
      'The scopes of the bearer token do not cover all types (system/*.rs), and an operator sees all exports')
  }
}
