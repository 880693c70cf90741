import type { Reference } from 'fhir/r4.js'
import { systems } from './codes.ts'
import type { Random } from './random.ts'
import { organizations, physicians } from './vocabulary.ts'

/** Resources that are not exported are referred to by their identifiers. */
export function practitioner (random: Random): Reference {
  const index = random.integer(0, physicians.length - 1)
  return elsewhere('Practitioner', systems.practitioner, String(1_999_000_000 + index), physicians[index])
}

export function organization (random: Random): Reference {
  const index = random.integer(0, organizations.length - 1)
  return elsewhere('Organization', systems.organization, `org-${index}`, organizations[index])
}

export function elsewhere (type: string, system: string, value: string, display?: string): Reference {
  return { type, identifier: { system, value }, ...(display === undefined ? {} : { display }) }
}
