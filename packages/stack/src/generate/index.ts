import type { Consent, DocumentReference, Group, Patient, Provenance } from 'fhir/r4.js'
import { generateConsent } from './consent.ts'
import { generateDocuments } from './document-reference.ts'
import { generateGroups } from './group.ts'
import { generatePatient } from './patient.ts'
import { generateProvenances } from './provenance.ts'
import { createRandom } from './random.ts'

export type GeneratedResource = Patient | DocumentReference | Consent | Provenance | Group

/** Raise it when the same seed gives other resources than before: what was cached is then generated anew. */
export const generatorVersion = 2

export interface Population {
  patients: number
  /** A 32-bit integer. The same seed gives the same resources, and a larger population starts with the smaller one's patients. */
  seed: number
}

/**
 * An invented population of valid R4 resources: for each patient some three documents with inline notes, a consent and two
 * provenances, and a few groups at the end. Parts of the resources are shared: copy one before you change it.
 */
export function * generateResources ({ patients, seed }: Population): Generator<GeneratedResource> {
  for (let index = 0; index < patients; index++) {
    const random = createRandom(seed, index)
    const generated = generatePatient(seed, index, random)
    const documents = generateDocuments(generated, random)
    const consent = generateConsent(generated, documents, random)
    yield generated.patient
    yield * documents
    yield consent
    yield * generateProvenances(generated, documents, consent, random)
  }
  yield * generateGroups(seed, patients)
}
