import type { Consent } from 'fhir/r4.js'
import { checkConsent, consentColumns, consentStatus } from '../fhir/consent.ts'
import { codeOf } from '../fhir/primitives.ts'
import { isEmpty, partialObject, refine } from '../fhir/reading.ts'
import { patientIdOf, patientReference, resourceElements, type LoadedRow } from './rows.ts'

const consent = partialObject<Consent>({
  ...resourceElements,
  resourceType: codeOf('Consent'),
  status: consentStatus,
  patient: patientReference,
  ...consentColumns.elements,
}, ['id', 'status', 'patient', 'scope', 'category'])

export const readConsentRow = refine(consent, function toConsentRow (resource) {
  checkConsent(resource)
  const { period, ...provision } = resource.provision ?? {}
  const row: Partial<LoadedRow<'consents'>> = {
    id: resource.id ?? null,
    patient_id: patientIdOf(resource.patient),
    status: resource.status,
    period_start: period?.start ?? null,
    period_end: period?.end ?? null,
    decision: null, // a loaded rule stays whole, in `provision`
    recipients: null,
  }
  consentColumns.toColumns(isEmpty(provision) ? { ...resource, provision: undefined } : { ...resource, provision }, row)
  return row as LoadedRow<'consents'>
})
