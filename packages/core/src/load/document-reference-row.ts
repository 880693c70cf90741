import type { DocumentReference, DocumentReferenceContext } from 'fhir/r4.js'
import { period } from '../fhir/datatypes.ts'
import { documentContextColumns, documentReferenceColumns } from '../fhir/document-reference.ts'
import { codeOf } from '../fhir/primitives.ts'
import { partialObject, refine } from '../fhir/reading.ts'
import { patientIdOf, patientReference, resourceElements, type LoadedRow } from './rows.ts'

const documentReference = partialObject<DocumentReference>({
  ...resourceElements,
  resourceType: codeOf('DocumentReference'),
  subject: patientReference,
  ...documentReferenceColumns.elements,
  context: partialObject<DocumentReferenceContext>({ ...documentContextColumns.elements, period }),
}, ['id', 'status', 'subject', 'content'])

export const readDocumentReferenceRow = refine(documentReference, function toDocumentReferenceRow (resource) {
  const { context = {} } = resource
  const row: Partial<LoadedRow<'medical_records'>> = {
    id: resource.id ?? null,
    patient_id: patientIdOf(resource.subject),
    period_start: context.period?.start ?? null,
    period_end: context.period?.end ?? null,
  }
  documentReferenceColumns.toColumns(resource, row)
  documentContextColumns.toColumns(context, row)
  return row as LoadedRow<'medical_records'>
})
