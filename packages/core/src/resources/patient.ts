import { toConcept } from './coding.ts'
import { define, type Texts } from './definition.ts'
import type { LineContext } from './line-context.ts'

/** https://hl7.org/fhir/R4/patient.html */
export const patient = define('Patient', 'patients', {
  over: {
    active: 'active',
    identifier: 'identifier',
    name: 'name',
    telecom: 'telecom',
    gender: 'gender',
    birth_date: 'birthDate',
    deceased: 'deceasedBoolean',
    deceased_date_time: 'deceasedDateTime',
    address: 'address',
    marital_status: 'maritalStatus',
    multiple_birth: 'multipleBirthBoolean',
    multiple_birth_order: 'multipleBirthInteger',
    contact: 'contact',
    communication: 'communication',
    general_practitioner: 'generalPractitioner',
    managing_organization: 'managingOrganization',
    link: 'link',
  },
  givesWay: ['deceased', 'multiple_birth'],
  other: { mrn: 'text' },
  append: { identifier: { from: ['mrn'], toItem: toMrn, toSql: toMrnSql } },
})

const medicalRecordNumber: unknown = JSON.parse(toConcept('http://terminology.hl7.org/CodeSystem/v2-0203', 'MR', 'Medical record number'))

/** A bare medical record number as an Identifier, unless it is among the identifiers already. */
function toMrn ({ mrn }: Texts, items: () => string | undefined, { mrnSystem }: LineContext): string | undefined {
  if (mrn === undefined || mrn === '') return undefined
  const identifiers: Array<{ system?: unknown, value?: unknown }> = JSON.parse(items() ?? '[]')
  if (identifiers.some(({ system, value }) => value === mrn && system === mrnSystem)) return undefined
  return JSON.stringify({ type: medicalRecordNumber, system: mrnSystem, value: mrn })
}

function toMrnSql (mrnSystem: string): string {
  return `CASE WHEN r.mrn <> '' THEN jsonb_strip_nulls(jsonb_build_object('system', ${mrnSystem}, 'value', r.mrn)) END`
}
