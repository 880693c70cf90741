import type { ExportSummary } from '@fhir-bulk-export/core/exports'
import type { Caller } from './caller.ts'

/**
 * A client that is held to groups sees the exports that it started itself. A PATIENT sees the exports that were started as PATIENT for the
 * same patient of the same issuer, not those of an ADMIN.
 */
export function canAccess (caller: Caller, row: ExportSummary): boolean {
  if (caller.client?.group_ids != null) return row.requester === caller.requester
  return caller.role === 'ADMIN' ||
    (row.requester_role === 'PATIENT' && row.issuer === caller.issuer && row.patient_id === caller.patientId)
}

/** Bulk Data 3.0.0, Security Considerations: an access token "with scopes that cover all resources being exported". */
export function coversTypes ({ types }: Caller, asked: Iterable<string>): boolean {
  return types === null || [...asked].every((type) => types.has(type))
}
