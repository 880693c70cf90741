import type { Patient } from 'fhir/r4.js'
import { patientColumns, patientDeceased, patientMultipleBirth } from '../fhir/patient.ts'
import { codeOf } from '../fhir/primitives.ts'
import { partialObject, refine } from '../fhir/reading.ts'
import { checkChoice, resourceElements, type LoadedRow } from './rows.ts'

const patient = partialObject<Patient>({
  ...resourceElements,
  resourceType: codeOf('Patient'),
  ...patientColumns.elements,
  ...patientDeceased.elements,
  ...patientMultipleBirth.elements,
}, ['id'])

export const readPatientRow = refine(patient, function toPatientRow (resource) {
  checkChoice(resource, 'deceasedBoolean', 'deceasedDateTime')
  checkChoice(resource, 'multipleBirthBoolean', 'multipleBirthInteger')
  const row: Partial<LoadedRow<'patients'>> = { id: resource.id ?? null, mrn: null }
  patientColumns.toColumns(resource, row)
  patientDeceased.toColumns(resource, row)
  patientMultipleBirth.toColumns(resource, row)
  return row as LoadedRow<'patients'>
})
