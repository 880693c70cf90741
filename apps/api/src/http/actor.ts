import type { Actor } from '@fhir-bulk-export/core/audit'
import type { FastifyRequest } from 'fastify'

/** Who asks, for the audit. The address is that of the connection: what a proxy says about another one may be anybody's word. */
export function toActor ({ caller, ip, id }: FastifyRequest): Actor {
  const { requester, role, issuer, subject, clientId, patientId } = caller
  return { requester, role, issuer, subject, client_id: clientId, patient_id: patientId, address: ip, request_id: id }
}
