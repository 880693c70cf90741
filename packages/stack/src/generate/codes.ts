import type { CodeableConcept, Coding } from 'fhir/r4.js'

/** Codes with the displays their code systems give. The objects are shared between resources: never change one. */

export const systems = {
  practitioner: 'http://hl7.org/fhir/sid/us-npi',
  organization: 'https://example.org/organizations',
  location: 'https://example.org/locations',
  relatedPerson: 'https://example.org/related-persons',
  device: 'https://example.org/devices',
} as const

const terminology = 'http://terminology.hl7.org/CodeSystem'
const loinc = 'http://loinc.org'
const snomed = 'http://snomed.info/sct'

function concepts (system: string, codes: Array<[code: string, display: string]>): CodeableConcept[] {
  return codes.map(([code, display]) => ({ coding: [{ system, code, display }] }))
}

function concept (system: string, code: string, display: string, text?: string): CodeableConcept {
  return { coding: [{ system, code, display }], ...(text === undefined ? {} : { text }) }
}

// Patient
export const socialSecurityNumber = concept(`${terminology}/v2-0203`, 'SS', 'Social Security number')
export const driversLicense = concept(`${terminology}/v2-0203`, 'DL', 'Driver\'s license number')
export const passportNumber = concept(`${terminology}/v2-0203`, 'PPN', 'Passport number')
export const maritalStatuses = [
  ...concepts(`${terminology}/v3-MaritalStatus`, [
    ['M', 'Married'], ['S', 'Never Married'], ['D', 'Divorced'], ['W', 'Widowed'], ['L', 'Legally Separated'], ['T', 'Domestic partner'],
  ]),
  { coding: [{ system: `${terminology}/v3-NullFlavor`, code: 'UNK', display: 'unknown' }], text: 'not asked' },
]
export const languages: Record<string, CodeableConcept> = Object.fromEntries([
  ['en', 'English'], ['es', 'Spanish'], ['de', 'German'], ['fr', 'French'], ['ru', 'Russian'], ['ja', 'Japanese'], ['ar', 'Arabic'],
].map(([code, display]) => [code, { coding: [{ system: 'urn:ietf:bcp:47', code, display }], text: display }]))
export const relationships = [
  ...concepts(`${terminology}/v2-0131`, [['N', 'Next-of-Kin'], ['C', 'Emergency Contact'], ['E', 'Employer']]),
  {
    coding: [
      { system: `${terminology}/v2-0131`, code: 'C', display: 'Emergency Contact' },
      { system: `${terminology}/v3-RoleCode`, code: 'NBOR', display: 'neighbor' },
    ],
  },
]

// DocumentReference
export const documentTypes: CodeableConcept[] = [
  ...concepts(loinc, [
    ['11506-3', 'Progress note'], ['18842-5', 'Discharge summary'], ['11488-4', 'Consult note'], ['28570-0', 'Procedure note'],
    ['57133-1', 'Referral note'],
  ]),
  {
    coding: [
      { system: loinc, code: '34117-2', display: 'History and physical note' },
      { system: loinc, code: '51847-2', display: 'Evaluation + Plan note' },
    ],
  },
]
export const clinicalNote = concept('http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category', 'clinical-note',
  'Clinical Note')
export const confidentiality = concepts(`${terminology}/v3-Confidentiality`, [
  ['N', 'normal'], ['R', 'restricted'], ['V', 'very restricted'],
])
export const facilityTypes = concepts(snomed, [['22232009', 'Hospital'], ['35971002', 'Ambulatory care site']])
export const practiceSettings = concepts(snomed, [
  ['394814009', 'General practice'], ['394579002', 'Cardiology'], ['394802001', 'General medicine'],
])
export const documentedEvents = [...concepts(snomed, [['185349003', 'Encounter for check up']]), { text: 'Annual check-up' }]
export const textFormat: Coding = {
  system: 'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem', code: 'urn:ihe:iti:xds:2017:mimeTypeSufficient',
  display: 'mimeType Sufficient',
}

// Consent
export const researchScope = concept(`${terminology}/consentscope`, 'research', 'Research')
export const consentDocument = concept(loinc, '59284-0', 'Consent Document')
export const disclosure = concept(`${terminology}/v3-ActCode`, 'IDSCL', 'information disclosure')
export const optIn = concept(`${terminology}/v3-ActCode`, 'OPTIN', 'opt-in')
export const optOut = concept(`${terminology}/v3-ActCode`, 'OPTOUT', 'op-out') // HL7's own spelling
export const recipient = concept(`${terminology}/v3-ParticipationType`, 'IRCP', 'information recipient')
export const consentActions = concepts(`${terminology}/consentaction`, [
  ['collect', 'Collect'], ['access', 'Access'], ['use', 'Use'], ['disclose', 'Disclose'],
])
export const purposes: Coding[] = [
  { system: `${terminology}/v3-ActReason`, code: 'TREAT', display: 'treatment' },
  { system: `${terminology}/v3-ActReason`, code: 'HRESCH', display: 'healthcare research' },
  { system: `${terminology}/v3-ActReason`, code: 'HPAYMT', display: 'healthcare payment' },
]
export const documentReferenceClass: Coding = {
  system: 'http://hl7.org/fhir/resource-types', code: 'DocumentReference', display: 'DocumentReference',
}

// Provenance
export const operations = concepts(`${terminology}/v3-DataOperation`, [
  ['CREATE', 'create'], ['UPDATE', 'revise'], ['APPEND', 'append'], ['DELETE', 'delete'], ['NULLIFY', 'nullify'],
])
export const reasons: CodeableConcept[] = purposes.map(coding => ({ coding: [coding] }))
export const agentTypes = concepts(`${terminology}/provenance-participant-type`, [
  ['author', 'Author'], ['enterer', 'Enterer'], ['verifier', 'Verifier'], ['informant', 'Informant'], ['custodian', 'Custodian'],
])
export const assembler = concept(`${terminology}/provenance-participant-type`, 'assembler', 'Assembler')
export const physicianRole = concept(snomed, '309343006', 'Physician')

// Encounter
export const encounterClasses: Coding[] = [['AMB', 'ambulatory'], ['EMER', 'emergency'], ['IMP', 'inpatient encounter']].map(
  ([code, display]) => ({ system: `${terminology}/v3-ActCode`, code, display })
)
export const encounterTypes = concepts(snomed, [
  ['185349003', 'Encounter for check up'], ['50849002', 'Emergency room admission'], ['32485007', 'Hospital admission'],
])
export const attender = concept(`${terminology}/v3-ParticipationType`, 'ATND', 'attender')
export const dischargedHome = concept(`${terminology}/discharge-disposition`, 'home', 'Home')

// Condition
export const diagnoses = concepts(snomed, [
  ['38341003', 'Hypertensive disorder'], ['44054006', 'Diabetes mellitus type 2'], ['195967001', 'Asthma'], ['55822004', 'Hyperlipidemia'],
  ['271737000', 'Anemia'],
  ['35489007', 'Depressive disorder'], ['444814009', 'Viral sinusitis'], ['10509002', 'Acute bronchitis'],
])
export const clinicalStatuses = {
  active: concept(`${terminology}/condition-clinical`, 'active', 'Active'),
  resolved: concept(`${terminology}/condition-clinical`, 'resolved', 'Resolved'),
}
export const confirmed = concept(`${terminology}/condition-ver-status`, 'confirmed', 'Confirmed')
export const conditionCategories = concepts(`${terminology}/condition-category`, [
  ['encounter-diagnosis', 'Encounter Diagnosis'], ['problem-list-item', 'Problem List Item'],
])

// Observation
export const vitalSigns = concept(`${terminology}/observation-category`, 'vital-signs', 'Vital Signs')
export const laboratory = concept(`${terminology}/observation-category`, 'laboratory', 'Laboratory')
export const socialHistory = concept(`${terminology}/observation-category`, 'social-history', 'Social History')
export const interpretations = {
  low: concept(`${terminology}/v3-ObservationInterpretation`, 'L', 'Low'),
  normal: concept(`${terminology}/v3-ObservationInterpretation`, 'N', 'Normal'),
  high: concept(`${terminology}/v3-ObservationInterpretation`, 'H', 'High'),
}
export const notDone = concept(`${terminology}/data-absent-reason`, 'not-performed', 'Not Performed')
export const smokingStatuses = concepts(snomed, [
  ['266919005', 'Never smoked tobacco'], ['8517006', 'Ex-smoker'], ['449868002', 'Smokes tobacco daily'],
])

export function measured (code: string, display: string): CodeableConcept {
  return concept(loinc, code, display, display)
}
