/**
 * The source: the relations that rows are read from (schema `source`), one per resource type, and the columns an export
 * reads. These are a public interface: a site puts views of these names over its own tables, and the worker checks them
 * at start. Single values are scalars; what repeats or nests is jsonb in the shape of its FHIR R4 datatype.
 *
 * `date` and `dateTime` stand for text in FHIR's spelling, which may be partial (`2019`, `2019-05`); a site may also give
 * a PostgreSQL date, for a `dateTime` also a timestamptz. Every column but `id`, `updated_at` and `patient_id` may be null.
 */
export type ColumnType = 'text' | 'date' | 'dateTime' | 'jsonb' | 'timestamptz' | 'boolean' | 'integer'

const base = { id: 'text', updated_at: 'timestamptz', deleted_at: 'timestamptz' } as const

export const relations = {
  patients: {
    ...base,
    active: 'boolean',
    identifier: 'jsonb', // Identifier[]
    mrn: 'text', // a bare medical record number: exported as an Identifier of type MR in MRN_SYSTEM
    name: 'jsonb', // HumanName[]
    telecom: 'jsonb', // ContactPoint[]
    gender: 'text',
    birth_date: 'date',
    deceased: 'boolean',
    deceased_date_time: 'dateTime', // wins over `deceased`
    address: 'jsonb', // Address[]
    marital_status: 'jsonb', // CodeableConcept
    multiple_birth: 'boolean',
    multiple_birth_order: 'integer', // wins over `multiple_birth`
    contact: 'jsonb', // Patient.contact[]
    communication: 'jsonb', // Patient.communication[]
    general_practitioner: 'jsonb', // Reference[]
    managing_organization: 'jsonb', // Reference
    link: 'jsonb', // Patient.link[]
  },
  medical_records: {
    ...base,
    patient_id: 'text',
    master_identifier: 'jsonb', // Identifier
    identifier: 'jsonb', // Identifier[]
    status: 'text', // current | superseded | entered-in-error
    doc_status: 'text',
    type: 'jsonb', // CodeableConcept
    category: 'jsonb', // CodeableConcept[]
    date: 'timestamptz', // instant
    author: 'jsonb', // Reference[]
    authenticator: 'jsonb', // Reference
    custodian: 'jsonb', // Reference
    relates_to: 'jsonb', // DocumentReference.relatesTo[]
    description: 'text',
    security_label: 'jsonb', // CodeableConcept[]
    content: 'jsonb', // DocumentReference.content[]
    encounter: 'jsonb', // Reference[] (context.encounter)
    event: 'jsonb', // CodeableConcept[] (context.event)
    period_start: 'dateTime', // context.period
    period_end: 'dateTime',
    facility_type: 'jsonb', // CodeableConcept (context.facilityType)
    practice_setting: 'jsonb', // CodeableConcept (context.practiceSetting)
    source_patient_info: 'jsonb', // Reference (context.sourcePatientInfo)
    related: 'jsonb', // Reference[] (context.related)
  },
  consents: {
    ...base,
    patient_id: 'text',
    identifier: 'jsonb', // Identifier[]
    status: 'text', // draft | proposed | active | rejected | inactive | entered-in-error; `revoked` is exported as inactive
    scope: 'jsonb', // CodeableConcept; default patient-privacy
    category: 'jsonb', // CodeableConcept[]; default LOINC 59284-0
    date_time: 'dateTime',
    performer: 'jsonb', // Reference[]
    organization: 'jsonb', // Reference[]
    source_attachment: 'jsonb', // Attachment
    source_reference: 'jsonb', // Reference
    policy: 'jsonb', // Consent.policy[]
    policy_rule: 'jsonb', // CodeableConcept; default OPTIN or OPTOUT by `decision`, where no policy has a uri
    verification: 'jsonb', // Consent.verification[]
    period_start: 'dateTime', // provision.period: past its end the consent is exported as inactive
    period_end: 'dateTime',
    decision: 'text', // permit | deny: a nested provision of its own, with `recipients` as its actors
    recipients: 'jsonb', // Reference[]: actors in role IRCP (information recipient) of that provision
    provision: 'jsonb', // Consent.provision: the root rule in FHIR's shape; `period_*`, `decision` are added to it
  },
  provenance_events: {
    ...base,
    patient_id: 'text',
    target: 'jsonb', // Reference[]
    occurred_date_time: 'dateTime', // wins over the period
    occurred_period_start: 'dateTime',
    occurred_period_end: 'dateTime',
    recorded: 'timestamptz', // instant
    policy: 'jsonb', // uri[]
    location: 'jsonb', // Reference
    reason: 'jsonb', // CodeableConcept[]
    activity: 'jsonb', // CodeableConcept
    action: 'text', // CREATE | UPDATE | DELETE | APPEND | NULLIFY: becomes the activity where `activity` is null
    agent: 'jsonb', // Provenance.agent[]
    entity: 'jsonb', // Provenance.entity[]
  },
  patient_groups: {
    ...base,
    identifier: 'jsonb', // Identifier[]
    active: 'boolean',
    name: 'text',
    code: 'jsonb', // CodeableConcept
    managing_entity: 'jsonb', // Reference
  },
  patient_group_members: {
    ...base,
    group_id: 'text',
    patient_id: 'text',
    period_start: 'dateTime',
    period_end: 'dateTime',
    inactive: 'boolean',
  },
} as const satisfies Record<string, Record<string, ColumnType>>

export type Relation = keyof typeof relations
export type Column<R extends Relation> = keyof (typeof relations)[R] & string

/**
 * A row in PostgreSQL's text form, column by column: text as it is, booleans `t`/`f`, timestamptz as
 * `2024-01-31 09:30:00.123+00` (DateStyle ISO, TimeZone UTC), jsonb as JSON text. This is what COPY delivers, what the
 * serializers read and what the loader writes.
 */
export type SourceRow<R extends Relation> = Record<Column<R>, string | null>

/** The relation of each exported resource type, in the order of an export's files. */
export const exportedRelations = {
  Patient: 'patients',
  DocumentReference: 'medical_records',
  Consent: 'consents',
  Provenance: 'provenance_events',
} as const satisfies Record<string, Relation>

export type ExportedType = keyof typeof exportedRelations
export const exportedTypes = Object.keys(exportedRelations) as ExportedType[]
