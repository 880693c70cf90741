import type { Consent, DocumentReference, Provenance, ProvenanceAgent, ProvenanceEntity, Reference } from 'fhir/r4.js'
import * as codes from './codes.ts'
import { randomTime, toDateTime, toInstant } from './dates.ts'
import type { GeneratedPatient } from './patient.ts'
import type { Random } from './random.ts'
import { elsewhere, organization, practitioner } from './references.ts'

/** Two on average: who entered the patient, the documents and the consent. */
export function generateProvenances (generated: GeneratedPatient, documents: DocumentReference[], consent: Consent, random: Random): Provenance[] {
  const { patient } = generated
  const held = [patient, consent, ...documents].map(({ resourceType, id }): Reference => ({ reference: `${resourceType}/${id}` }))
  return Array.from({ length: random.integer(1, 3) }, () => generateProvenance(generated, held, random))
}

function generateProvenance ({ bornMs, lastSeenMs }: GeneratedPatient, held: Reference[], random: Random): Provenance {
  const recordedMs = randomTime(random, bornMs, lastSeenMs)
  const target = [random.pick(held)]
  if (random.chance(0.15)) target.push(random.pick(held))
  const provenance: Provenance = {
    resourceType: 'Provenance',
    id: random.uuid(),
    target,
    recorded: toInstant(recordedMs),
    activity: random.pick(codes.operations),
    agent: agents(random),
  }
  if (random.chance(0.5)) provenance.occurredDateTime = toDateTime(recordedMs - random.integer(0, 3_600_000), random)
  else if (random.chance(0.2)) provenance.occurredPeriod = { start: toDateTime(recordedMs - 7_200_000, random), end: toDateTime(recordedMs, random) }
  if (random.chance(0.1)) provenance.policy = ['https://example.org/policies/retention']
  if (random.chance(0.2)) provenance.location = elsewhere('Location', codes.systems.location, `ward-${random.integer(1, 20)}`, 'Ward')
  if (random.chance(0.3)) provenance.reason = [random.pick(codes.reasons)]
  if (random.chance(0.2)) provenance.entity = [entity(held, random)]
  return provenance
}

function agents (random: Random): ProvenanceAgent[] {
  const agent: ProvenanceAgent = { type: random.pick(codes.agentTypes), who: practitioner(random) }
  if (random.chance(0.3)) agent.role = [codes.physicianRole]
  if (random.chance(0.5)) agent.onBehalfOf = organization(random)
  if (!random.chance(0.2)) return [agent]
  return [agent, { type: codes.assembler, who: elsewhere('Device', codes.systems.device, 'interface-engine', 'Interface engine') }]
}

function entity (held: Reference[], random: Random): ProvenanceEntity {
  const role = random.pick(['source', 'revision', 'derivation'] as const)
  const what = random.chance(0.5) ? random.pick(held) : elsewhere('Bundle', 'https://example.org/messages', random.uuid(), 'HL7 v2 message')
  return random.chance(0.3) ? { role, what, agent: agents(random) } : { role, what }
}
