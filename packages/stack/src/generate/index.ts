import type { Condition, Encounter, Observation, Reference } from 'fhir/r4.js'
import { generateConditions } from './condition.ts'
import { generateConsent } from './consent.ts'
import { generateDocuments } from './document-reference.ts'
import { generateEncounters } from './encounter.ts'
import { generateGroups } from './group.ts'
import { generateObservations } from './observation.ts'
import { generatePatient } from './patient.ts'
import { generateProvenances } from './provenance.ts'
import { createRandom } from './random.ts'
import type { Row } from './rows.ts'

/**
 * A row of columns, as a hospital's database has them (the relation's name, in schema `source`), or a resource in FHIR's own JSON, which
 * becomes a row with `resource`. Its numbers are exact where JSON.stringify writes them; see observation.ts.
 */
export type Generated =
  | { relation: string, row: Row }
  | { resource: Condition | Encounter | Observation }

/** Raise it when the same seed gives other data than before: cached data are then generated anew. */
export const generatorVersion = 4

export interface Population {
  patients: number
  /** A 32-bit integer. The same seed gives the same data, and a larger population starts with the smaller one's patients. */
  seed: number
}

/**
 * An invented population. For each patient: rows of some three documents with inline notes, a consent and two provenances; resources of two
 * encounters, a condition and some six observations. A few groups at the end. Parts are shared: copy one before you change it.
 */
export function * generate ({ patients, seed }: Population): Generator<Generated> {
  for (let index = 0; index < patients; index++) {
    const random = createRandom(seed, index)
    const generated = generatePatient(seed, index, random)
    const { patient } = generated
    const encounters = generateEncounters(generated, random)
    const resources = [
      ...encounters.map(({ encounter }) => encounter),
      ...generateConditions(generated, encounters, random),
      ...generateObservations(generated, encounters, random),
    ]
    const documents = generateDocuments(generated, encounters, random)
    const consent = generateConsent(generated, documents, random)
    const held = [
      toReference('Patient', patient.id), toReference('Consent', consent.id),
      ...documents.map(({ id }) => toReference('DocumentReference', id)),
      ...resources.map(({ resourceType, id = '' }) => toReference(resourceType, id)),
    ]
    yield { relation: 'patients', row: patient }
    for (const resource of resources) yield { resource }
    for (const row of documents) yield { relation: 'medical_records', row }
    yield { relation: 'consents', row: consent }
    for (const row of generateProvenances(generated, held, random)) yield { relation: 'provenance_events', row }
  }
  yield * generateGroups(seed, patients)
}

function toReference (type: string, id: string): Reference {
  return { reference: `${type}/${id}` }
}
