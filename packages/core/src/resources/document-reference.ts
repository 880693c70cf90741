import { define } from './definition.ts'
import { patientReference } from './patient-reference.ts'

/** https://hl7.org/fhir/R4/documentreference.html */
export const documentReference = define('DocumentReference', 'medical_records', {
  over: {
    master_identifier: 'masterIdentifier',
    identifier: 'identifier',
    status: 'status',
    doc_status: 'docStatus',
    type: 'type',
    category: 'category',
    date: 'date',
    author: 'author',
    authenticator: 'authenticator',
    custodian: 'custodian',
    relates_to: 'relatesTo',
    description: 'description',
    security_label: 'securityLabel',
    content: 'content',
    encounter: 'context.encounter',
    event: 'context.event',
    period_start: 'context.period.start',
    period_end: 'context.period.end',
    facility_type: 'context.facilityType',
    practice_setting: 'context.practiceSetting',
    source_patient_info: 'context.sourcePatientInfo',
    related: 'context.related',
  },
  attachments: ['content'],
  defaults: { subject: patientReference },
})
