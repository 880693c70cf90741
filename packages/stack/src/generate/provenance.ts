import type { ProvenanceAgent, ProvenanceEntity, Reference } from 'fhir/r4.js'
import * as codes from './codes.ts'
import { randomTime, toDateTime, toInstant } from './dates.ts'
import type { GeneratedPatient } from './patient.ts'
import type { Random } from './random.ts'
import { elsewhere, organization, practitioner } from './references.ts'

/** A row of source.provenance_events. */
type ProvenanceRow = ReturnType<typeof generateProvenance>

/** Two on average: who entered what the patient's record holds. `held`: references to that. */
export function generateProvenances (generated: GeneratedPatient, held: Reference[], random: Random): ProvenanceRow[] {
  return Array.from({ length: random.integer(1, 3) }, () => generateProvenance(generated, held, random))
}

function generateProvenance ({ patient, bornMs, lastSeenMs }: GeneratedPatient, held: Reference[], random: Random) {
  const recordedMs = randomTime(random, bornMs, lastSeenMs)
  const when = random.pick(['time', 'time', 'period', 'unknown'] as const)
  const hasAction = random.chance(0.7)
  return {
    id: random.uuid(),
    patient_id: patient.id,
    target: random.chance(0.15) ? [random.pick(held), random.pick(held)] : [random.pick(held)],
    occurred_date_time: when === 'time' ? toDateTime(recordedMs - random.integer(0, 3_600_000), random) : null,
    occurred_period_start: when === 'period' ? toDateTime(recordedMs - 7_200_000, random) : null,
    occurred_period_end: when === 'period' ? toDateTime(recordedMs, random) : null,
    recorded: toInstant(recordedMs),
    policy: random.maybe(0.1, () => ['https://example.org/policies/retention']),
    location: random.maybe(0.2, () => elsewhere('Location', codes.systems.location, `ward-${random.integer(1, 20)}`, 'Ward')),
    reason: random.maybe(0.3, () => [random.pick(codes.reasons)]),
    activity: hasAction ? null : random.pick(codes.operations),
    action: hasAction ? random.pick(['CREATE', 'CREATE', 'UPDATE', 'APPEND', 'DELETE', 'NULLIFY'] as const) : null,
    agent: agents(random),
    entity: random.maybe(0.2, () => [entity(held, random)]),
  }
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
