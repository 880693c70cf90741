import type { CodeableConcept } from 'fhir/r4.js'

/** The codes that this service itself writes, each with its own code system's display. Frozen: resources share them. */
function concept (system: string, code: string, display: string): CodeableConcept {
  return Object.freeze({ coding: [Object.freeze({ system, code, display })] })
}

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode'
const dataOperation = 'http://terminology.hl7.org/CodeSystem/v3-DataOperation'

export const medicalRecordNumber = concept('http://terminology.hl7.org/CodeSystem/v2-0203', 'MR', 'Medical record number')
export const patientPrivacy = concept('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy', 'Privacy Consent')
export const consentDocument = concept('http://loinc.org', '59284-0', 'Consent Document')
export const informationRecipient = concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP', 'information recipient')

export const policyRules = {
  permit: concept(actCode, 'OPTIN', 'opt-in'),
  deny: concept(actCode, 'OPTOUT', 'op-out'), // HL7's own spelling: a display must match its code system
}

export const dataOperations: ReadonlyMap<string, CodeableConcept> = new Map([
  ['CREATE', concept(dataOperation, 'CREATE', 'create')],
  ['UPDATE', concept(dataOperation, 'UPDATE', 'revise')],
  ['DELETE', concept(dataOperation, 'DELETE', 'delete')],
  ['APPEND', concept(dataOperation, 'APPEND', 'append')],
  ['NULLIFY', concept(dataOperation, 'NULLIFY', 'nullify')],
])
