import type { Reference } from 'fhir/r4.js'
import { systems } from './codes.ts'
import type { Random } from './random.ts'
import { organizations, physicians } from './vocabulary.ts'

/** What is not exported itself is referred to by its identifier, or, as Synthea's bulk files have it, by a conditional reference. */
export function practitioner (random: Random): Reference {
  const index = random.integer(0, physicians.length - 1)
  const value = String(1_999_000_000 + index)
  const display = physicians[index] as string
  if (random.chance(0.3)) return { reference: `Practitioner?identifier=${systems.practitioner}|${value}`, display }
  return { type: 'Practitioner', identifier: { system: systems.practitioner, value }, display }
}

export function organization (random: Random): Reference {
  const index = random.integer(0, organizations.length - 1)
  return { type: 'Organization', identifier: { system: systems.organization, value: `org-${index}` }, display: organizations[index] as string }
}

export function elsewhere (type: string, system: string, value: string, display?: string): Reference {
  return { type, identifier: { system, value }, ...(display === undefined ? {} : { display }) }
}
