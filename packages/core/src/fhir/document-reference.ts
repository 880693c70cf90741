import type { DocumentReference, DocumentReferenceContent, DocumentReferenceContext, DocumentReferenceRelatesTo } from 'fhir/r4.js'
import { attachment } from './attachment.ts'
import { columnsOf } from './columns.ts'
import { codeableConcept, coding, identifier, reference } from './datatypes.ts'
import { codeOf, instant, string } from './primitives.ts'
import { isEmpty, list, object, readAt, type Scope } from './reading.ts'
import { finish, readId, readMeta, readPatient, readPeriod, toScope, type SerializerContext } from './row.ts'
import type { SourceRow } from '../source/relations.ts'

type Row = SourceRow<'medical_records'>

const relatesTo = object<DocumentReferenceRelatesTo>({
  code: codeOf('replaces', 'transforms', 'signs', 'appends'),
  target: reference('DocumentReference'),
}, ['code', 'target'])

/** What a row holds of a DocumentReference, https://hl7.org/fhir/R4/documentreference.html */
export const documentReferenceColumns = columnsOf<DocumentReference, 'medical_records'>('medical_records', {
  masterIdentifier: ['master_identifier', identifier],
  identifier: ['identifier', list(identifier)],
  status: ['status', codeOf('current', 'superseded', 'entered-in-error')],
  docStatus: ['doc_status', codeOf('preliminary', 'final', 'amended', 'entered-in-error')],
  type: ['type', codeableConcept],
  category: ['category', list(codeableConcept)],
  date: ['date', instant],
  author: ['author', list(reference('Practitioner', 'PractitionerRole', 'Organization', 'Device', 'Patient', 'RelatedPerson'))],
  authenticator: ['authenticator', reference('Practitioner', 'PractitionerRole', 'Organization')],
  custodian: ['custodian', reference('Organization')],
  relatesTo: ['relates_to', list(relatesTo)],
  description: ['description', string],
  securityLabel: ['security_label', list(codeableConcept)],
  content: ['content', list(object<DocumentReferenceContent>({ attachment, format: coding }, ['attachment']))],
})

/** And of its context; the period has two columns. */
export const documentContextColumns = columnsOf<DocumentReferenceContext, 'medical_records'>('medical_records', {
  encounter: ['encounter', list(reference('Encounter', 'EpisodeOfCare'))],
  event: ['event', list(codeableConcept)],
  facilityType: ['facility_type', codeableConcept],
  practiceSetting: ['practice_setting', codeableConcept],
  sourcePatientInfo: ['source_patient_info', reference('Patient')],
  related: ['related', list(reference())],
})

/** A row of source.medical_records as a DocumentReference. Throws ElementError. */
export function toDocumentReference (row: Row, context: SerializerContext): DocumentReference {
  const scope = toScope(context)
  const document: Partial<DocumentReference> = {
    resourceType: 'DocumentReference',
    id: readId(row.id, 'id'),
    meta: readMeta(row.updated_at, scope),
    subject: readPatient(row.patient_id, 'subject'),
  }
  documentReferenceColumns.toElements(row, document, scope)
  const within = readAt('context', row, readContext, scope)
  if (within !== undefined) document.context = within
  return finish<DocumentReference>(document, ['status', 'content'], scope, context)
}

function readContext (row: Row, scope: Scope): DocumentReferenceContext | undefined {
  const within: DocumentReferenceContext = {}
  documentContextColumns.toElements(row, within, scope)
  const period = readPeriod(row.period_start, row.period_end, 'period', scope)
  if (period !== undefined) within.period = period
  return isEmpty(within) ? undefined : within
}
