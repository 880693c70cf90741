import type { Encounter, Practitioner } from 'fhir/r4.js'
import * as codes from './codes.ts'
import { dayMs, randomTime, toDateTime } from './dates.ts'
import type { GeneratedPatient } from './patient.ts'
import type { Random } from './random.ts'
import { organization, practitioner } from './references.ts'

export interface GeneratedEncounter { encounter: Encounter, startMs: number, endMs: number }

/** One to three, in the order of their time. Some have their practitioner within them, as messages from elsewhere do. */
export function generateEncounters (generated: GeneratedPatient, random: Random): GeneratedEncounter[] {
  const { bornMs, lastSeenMs } = generated
  const starts = Array.from({ length: random.integer(1, 3) }, () => randomTime(random, bornMs, lastSeenMs)).sort((a, b) => a - b)
  return starts.map((startMs) => generateEncounter(generated, startMs, random))
}

function generateEncounter ({ patient, lastSeenMs }: GeneratedPatient, startMs: number, random: Random): GeneratedEncounter {
  const kind = random.pick([0, 0, 0, 0, 1, 2])
  const isInpatient = kind === 2
  const endMs = Math.min(lastSeenMs, startMs + (isInpatient ? random.integer(1, 14) * dayMs : random.integer(10, 240) * 60_000))
  const isContained = random.chance(0.05)
  const individual = practitioner(random)
  const attending: Practitioner = { resourceType: 'Practitioner', id: 'attending', name: [{ text: individual.display ?? '' }] }
  const encounter: Encounter = {
    resourceType: 'Encounter',
    id: random.uuid(),
    ...(isContained ? { contained: [attending] } : {}),
    status: 'finished',
    class: codes.encounterClasses[kind] ?? {},
    type: [codes.encounterTypes[kind] ?? {}],
    subject: { reference: `Patient/${patient.id}` },
    participant: [{ type: [codes.attender], individual: isContained ? { reference: '#attending' } : individual }],
    period: { start: toDateTime(startMs, random), end: toDateTime(endMs, random) },
    serviceProvider: organization(random),
  }
  if (isInpatient) encounter.hospitalization = { dischargeDisposition: codes.dischargedHome }
  return { encounter, startMs, endMs }
}
