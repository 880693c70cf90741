import type { Actor } from '@fhir-bulk-export/core/audit'
import type { FastifyRequest } from 'fastify'

/** The caller, for the audit. `address` is the peer of the connection: the headers of a proxy may be forged. */
export function toActor ({ caller, ip, id }: FastifyRequest): Actor {
  const { requester, role, issuer, subject, clientId, patientId } = caller
  return { requester, role, issuer, subject, client_id: clientId, patient_id: patientId, address: ip, request_id: id }
}
