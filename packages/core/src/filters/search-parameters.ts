import { getDefinition } from '../resources/index.ts'
import { anyOf, booleanMatch, codeMatch, conceptMatch, dateMatch, idMatch, identifierMatch, instantMatch, mrnMatch, referencesMatch } from './match.ts'
import type { Match } from './match.ts'

/** A search parameter that `_typeFilter` takes; name, type and meaning as in FHIR R4 (https://hl7.org/fhir/R4/searchparameter-registry.html). */
export interface SearchParameter {
  readonly name: string
  readonly type: 'token' | 'date' | 'reference'
  readonly documentation: string
  readonly match: Match
}

const ofEveryType: SearchParameter[] = [
  { name: '_id', type: 'token', documentation: 'Logical id', match: idMatch('r.id') },
  { name: '_lastUpdated', type: 'date', documentation: 'When the resource changed last', match: instantMatch('r.updated_at') },
]

// A Consent is exported with a category, and `revoked` is no status of R4.
const consentCategory = `CASE WHEN coalesce(r.category::jsonb, 'null') IN ('null', '[]', '{}', '""')
  THEN '${getDefinition('Consent').defaults.category?.({}, () => undefined) ?? 'null'}' ELSE r.category::jsonb END`
const consentStatus = "CASE r.status::text WHEN 'revoked' THEN 'inactive' ELSE r.status::text END"

/** By columns of the types that have some. The README has the same list. */
const ofColumns: Readonly<Record<string, readonly SearchParameter[]>> = {
  Patient: [
    { name: 'active', type: 'token', documentation: 'Whether the record is in active use: true or false', match: booleanMatch('r.active') },
    { name: 'birthdate', type: 'date', documentation: 'Date of birth; a partial date stands for all of its days', match: dateMatch('r.birth_date::text') },
    { name: 'deceased', type: 'token', documentation: 'Whether the patient has died: true or false', match: booleanMatch("coalesce(r.deceased, false) OR coalesce(r.deceased_date_time::text, '') <> ''") },
    { name: 'gender', type: 'token', documentation: 'Administrative gender', match: codeMatch('r.gender::text', 'http://hl7.org/fhir/administrative-gender') },
    { name: 'identifier', type: 'token', documentation: 'Any identifier, the medical record number included', match: anyOf(identifierMatch('r.identifier', true), mrnMatch) },
  ],
  DocumentReference: [
    { name: 'category', type: 'token', documentation: 'Categorization of the document', match: conceptMatch('r.category', true) },
    { name: 'date', type: 'date', documentation: 'When this document reference was created', match: instantMatch('r.date') },
    { name: 'identifier', type: 'token', documentation: 'Any identifier, the master identifier included', match: anyOf(identifierMatch('r.identifier', true), identifierMatch('r.master_identifier', false)) },
    { name: 'patient', type: 'reference', documentation: 'The patient whom the document is about', match: idMatch('r.patient_id', 'Patient') },
    { name: 'status', type: 'token', documentation: 'Status: current, superseded or entered-in-error', match: codeMatch('r.status::text', 'http://hl7.org/fhir/document-reference-status') },
    { name: 'type', type: 'token', documentation: 'Kind of document', match: conceptMatch('r.type', false) },
  ],
  Consent: [
    { name: 'category', type: 'token', documentation: 'Classification of the consent', match: conceptMatch(`(${consentCategory})`, true) },
    { name: 'identifier', type: 'token', documentation: 'Any identifier', match: identifierMatch('r.identifier', true) },
    { name: 'patient', type: 'reference', documentation: 'The patient whom the consent is about', match: idMatch('r.patient_id', 'Patient') },
    { name: 'status', type: 'token', documentation: 'Status as exported: draft, proposed, active, rejected, inactive or entered-in-error', match: codeMatch(`(${consentStatus})`, 'http://hl7.org/fhir/consent-state-codes') },
  ],
  Provenance: [
    { name: 'recorded', type: 'date', documentation: 'When the activity was recorded', match: instantMatch('r.recorded') },
    { name: 'target', type: 'reference', documentation: 'What the provenance is about: Type/id, or an id', match: referencesMatch('r.target') },
  ],
}

/** What `_typeFilter` can ask of a type: each parameter means what it means in a search. */
export function toSearchParameters (type: string): readonly SearchParameter[] {
  return [...ofEveryType, ...ofColumns[type] ?? []]
}

export function findSearchParameter (type: string, name: string): SearchParameter | undefined {
  return toSearchParameters(type).find((parameter) => parameter.name === name)
}
