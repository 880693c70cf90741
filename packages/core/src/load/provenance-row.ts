import type { Provenance, Reference } from 'fhir/r4.js'
import { period } from '../fhir/datatypes.ts'
import { codeOf } from '../fhir/primitives.ts'
import { provenanceColumns } from '../fhir/provenance.ts'
import { partialObject, refine } from '../fhir/reading.ts'
import { checkChoice, patientIdOf, resourceElements, type LoadedRow } from './rows.ts'

/** `patient_id` is null where no target is a patient: then the targets' own rows say whose it is. */
export interface ProvenanceRow { row: LoadedRow<'provenance_events'>, targets: Reference[] }

const provenance = partialObject<Provenance>({
  ...resourceElements,
  resourceType: codeOf('Provenance'),
  ...provenanceColumns.elements,
  occurredPeriod: period,
}, ['id', 'target', 'recorded', 'agent'])

export const readProvenanceRow = refine(provenance, function toProvenanceRow (resource): ProvenanceRow {
  checkChoice(resource, 'occurredPeriod', 'occurredDateTime')
  const row: Partial<LoadedRow<'provenance_events'>> = {
    id: resource.id ?? null,
    patient_id: resource.target.map(patientIdOf).find(id => id !== null) ?? null,
    occurred_period_start: resource.occurredPeriod?.start ?? null,
    occurred_period_end: resource.occurredPeriod?.end ?? null,
    action: null,
  }
  provenanceColumns.toColumns(resource, row)
  return { row: row as LoadedRow<'provenance_events'>, targets: resource.target }
})
