import type { Group, GroupMember } from 'fhir/r4.js'
import { patientId } from './patient.ts'
import { createRandom } from './random.ts'
import { organization } from './references.ts'
import { groups } from './vocabulary.ts'

/** A group is one resource, so its members are one line of a file: kept to a size that a line should have. */
const membersAtMost = 1_000

/** Registries of the population, each with about a fifth of it. Their random streams are negative: patients have the others. */
export function * generateGroups (seed: number, patients: number): Generator<Group> {
  for (const [index, name] of groups.entries()) {
    const random = createRandom(seed, -1 - index)
    const group: Group = {
      resourceType: 'Group',
      id: random.uuid(),
      identifier: [{ system: 'https://example.org/groups', value: `group-${index + 1}` }],
      active: true,
      type: 'person',
      actual: true,
      code: { text: 'Registry' },
      name,
      managingEntity: organization(random),
    }
    const member: GroupMember[] = []
    for (let patient = 0; patient < patients && member.length < membersAtMost; patient++) {
      if (!random.chance(0.2)) continue
      const one: GroupMember = { entity: { reference: `Patient/${patientId(seed, patient)}` } }
      if (random.chance(0.3)) one.period = { start: `${random.integer(2010, 2025)}-01-01` }
      if (random.chance(0.1)) one.inactive = true
      member.push(one)
    }
    if (member.length > 0) group.member = member
    yield group
  }
}
