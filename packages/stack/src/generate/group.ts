import { patientId } from './patient.ts'
import { createRandom } from './random.ts'
import { organization } from './references.ts'
import type { Row } from './rows.ts'
import { groups } from './vocabulary.ts'

interface GroupRow { relation: 'patient_groups' | 'patient_group_members', row: Row }

/** Registries of the population, each with about a fifth of it. Their random streams are negative: patients have the others. */
export function * generateGroups (seed: number, patients: number): Generator<GroupRow> {
  for (const [index, name] of groups.entries()) {
    const random = createRandom(seed, -1 - index)
    const id = random.uuid()
    yield {
      relation: 'patient_groups',
      row: {
        id, identifier: [{ system: 'https://example.org/groups', value: `group-${index + 1}` }], active: true, name,
        code: { text: 'Registry' }, managing_entity: organization(random),
      },
    }
    for (let patient = 0; patient < patients; patient++) {
      if (!random.chance(0.2)) continue
      yield {
        relation: 'patient_group_members',
        row: {
          id: random.uuid(),
          group_id: id,
          patient_id: patientId(seed, patient),
          period_start: random.maybe(0.3, () => `${random.integer(2010, 2020)}-01-01`),
          period_end: random.maybe(0.1, () => `${random.integer(2021, 2025)}-12`),
          inactive: random.maybe(0.1, () => true),
        },
      }
    }
  }
}
