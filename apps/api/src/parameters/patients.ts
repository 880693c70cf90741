import { ServiceError } from '@fhir-bulk-export/core/errors'
import { toFhirBase } from '@fhir-bulk-export/core/fhir-base'
import type { KickOffContext } from './parameter.ts'

/**
 * The id in a reference to a Patient, relative or under our own base. A malformed one is an error, lenient or not: to ignore it would
 * be to export others.
 * @throws ServiceError INVALID_PARAMETER
 */
export function toPatientId (reference: string, { level, publicUrl }: Pick<KickOffContext, 'level' | 'publicUrl'>): string {
  // Bulk Data 3.0.0, Query Parameters (`patient`): not applicable to system level exports.
  if (level === 'system') throw new ServiceError('INVALID_PARAMETER', 'The parameter patient is not for exports at system level')
  const base = `${toFhirBase(publicUrl)}/`
  const relative = reference.startsWith(base) ? reference.slice(base.length) : reference
  const [, id] = /^Patient\/([A-Za-z0-9.-]{1,64})$/.exec(relative) ?? []
  if (id === undefined) throw new ServiceError('INVALID_PARAMETER', 'The parameter patient must be a reference such as Patient/123')
  return id
}

/** @throws ServiceError FORBIDDEN */
export function assertOwnPatient (ids: string[], { patientId }: Pick<KickOffContext['caller'], 'patientId'>): void {
  if (patientId !== null && ids.some((id) => id !== patientId)) {
    throw new ServiceError('FORBIDDEN', 'The parameter patient names another patient')
  }
}
