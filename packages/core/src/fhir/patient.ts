import type { Identifier, Patient, PatientCommunication, PatientContact, PatientLink } from 'fhir/r4.js'
import { medicalRecordNumber } from './codings.ts'
import { columnsOf } from './columns.ts'
import { address, codeableConcept, contactPoint, humanName, identifier, period, reference } from './datatypes.ts'
import { ElementError } from './element-error.ts'
import { boolean, codeOf, date, dateTime, integer, string } from './primitives.ts'
import { list, object, readAt, refine } from './reading.ts'
import { finish, readId, readMeta, toScope, type SerializerContext } from './row.ts'
import type { SourceRow } from '../source/relations.ts'

const gender = codeOf('male', 'female', 'other', 'unknown')

const contact = refine(object<PatientContact>({
  relationship: list(codeableConcept),
  name: humanName,
  telecom: list(contactPoint),
  address,
  gender,
  organization: reference('Organization'),
  period,
}), checkContact)

const link = object<PatientLink>({
  other: reference('Patient', 'RelatedPerson'),
  type: codeOf('replaced-by', 'replaces', 'refer', 'seealso'),
}, ['other', 'type'])

/** What a row holds of a Patient, https://hl7.org/fhir/R4/patient.html */
export const patientColumns = columnsOf<Patient, 'patients'>('patients', {
  identifier: ['identifier', list(identifier)],
  active: ['active', boolean],
  name: ['name', list(humanName)],
  telecom: ['telecom', list(contactPoint)],
  gender: ['gender', gender],
  birthDate: ['birth_date', date],
  deceasedDateTime: ['deceased_date_time', dateTime],
  address: ['address', list(address)],
  maritalStatus: ['marital_status', codeableConcept],
  multipleBirthInteger: ['multiple_birth_order', integer],
  contact: ['contact', list(contact)],
  communication: ['communication', list(object<PatientCommunication>({ language: codeableConcept, preferred: boolean }, ['language']))],
  generalPractitioner: ['general_practitioner', list(reference('Organization', 'Practitioner', 'PractitionerRole'))],
  managingOrganization: ['managing_organization', reference('Organization')],
  link: ['link', list(link)],
})
export const patientDeceased = columnsOf<Patient, 'patients'>('patients', { deceasedBoolean: ['deceased', boolean] })
export const patientMultipleBirth = columnsOf<Patient, 'patients'>('patients', { multipleBirthBoolean: ['multiple_birth', boolean] })

/** A row of source.patients as a Patient. Throws ElementError. */
export function toPatient (row: SourceRow<'patients'>, context: SerializerContext): Patient {
  const scope = toScope(context)
  const patient: Patient = { resourceType: 'Patient', id: readId(row.id, 'id'), meta: readMeta(row.updated_at, scope) }
  patientColumns.toElements(row, patient, scope)
  if (patient.deceasedDateTime === undefined) patientDeceased.toElements(row, patient, scope)
  if (patient.multipleBirthInteger === undefined) patientMultipleBirth.toElements(row, patient, scope)
  if (row.mrn) patient.identifier = withMrn(patient.identifier ?? [], readAt('identifier', row.mrn, string, scope), context.mrnSystem)
  return finish(patient, [], scope, context)
}

/** The bare number as an Identifier, unless the stored identifiers have it. */
function withMrn (identifiers: Identifier[], value: string | undefined, system: string | undefined): Identifier[] {
  if (value === undefined || identifiers.some(known => known.value === value && known.system === system)) return identifiers
  const type = medicalRecordNumber
  return [...identifiers, system === undefined ? { type, value } : { type, system, value }]
}

/** pat-1 */
function checkContact (contact: PatientContact): PatientContact {
  if (!contact.name && !contact.telecom && !contact.address && !contact.organization) {
    throw new ElementError('must have a name, telecom, address or organization')
  }
  return contact
}
