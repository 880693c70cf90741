import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { ExportLevel } from '@fhir-bulk-export/core/exports'
import { assertFewMembers } from './limits.ts'

interface Context {
  level: ExportLevel
  publicUrl: string
  /** The patient that the caller is, who can name no other. */
  callerPatientId: string | null
}

/**
 * The ids in `patient`: references to Patients, relative or under our own base. A malformed one is an error, lenient or not: to
 * ignore it would be to export others.
 * @throws ServiceError INVALID_PARAMETER; FORBIDDEN
 */
export function parsePatients (references: string[], { level, publicUrl, callerPatientId }: Context): string[] | null {
  if (references.length === 0) return null
  // Bulk Data 3.0.0, Query Parameters (`patient`): not applicable to system level exports.
  if (level === 'system') throw new ServiceError('INVALID_PARAMETER', 'The parameter patient is not for exports at system level')
  const base = `${publicUrl}/fhir/r4/`
  const ids = [...new Set(references)].map(function toId (reference) {
    const relative = reference.startsWith(base) ? reference.slice(base.length) : reference
    const [, id] = /^Patient\/([A-Za-z0-9.-]{1,64})$/.exec(relative) ?? []
    if (id === undefined) throw new ServiceError('INVALID_PARAMETER', 'The parameter patient must be a reference such as Patient/123')
    return id
  })
  if (callerPatientId !== null && ids.some((id) => id !== callerPatientId)) {
    throw new ServiceError('FORBIDDEN', 'The parameter patient names another patient')
  }
  const distinct = [...new Set(ids)]
  assertFewMembers('patient', distinct.length)
  return distinct
}
