import { toFhirBase } from '@fhir-bulk-export/core/fhir-base'
import type { Claims } from './claims.ts'

export interface PatientIdOptions {
  publicUrl: string
  /** `sub` is the patient's id where no other claim names the patient. */
  subIsPatient: boolean
}

/** The patient of a token. The first claim that is present decides, usable or not: no claim of lower rank replaces an unusable id. */
export function findPatientId (claims: Claims, { publicUrl, subIsPatient }: PatientIdOptions): string | undefined {
  const named = claims.patient_id ?? claims.patient ?? toPatientId(claims.fhirUser, publicUrl) ?? (subIsPatient ? claims.sub : undefined)
  return typeof named === 'string' && /^[A-Za-z0-9.-]{1,64}$/.test(named) ? named : undefined
}

/** `Patient/x`, relative or under our own base (SMART App Launch: fhirUser). A patient of another server has no id here. */
function toPatientId (fhirUser: unknown, publicUrl: string): string | undefined {
  if (fhirUser === undefined || fhirUser === null) return undefined
  const reference = typeof fhirUser === 'string' ? fhirUser : ''
  const base = `${toFhirBase(publicUrl)}/`
  const relative = reference.startsWith(base) ? reference.slice(base.length) : reference
  return relative.startsWith('Patient/') ? relative.slice('Patient/'.length) : ''
}
