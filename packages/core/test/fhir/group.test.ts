import t from 'tap'
import { toGroup, type GroupMembers } from '../../src/fhir/index.ts'
import { rowOf } from '../fixtures/rows.ts'
import { findProblems } from '../fixtures/validators.ts'

function membersOf (...rows: GroupMembers['rows']): GroupMembers & { warnings: string[] } {
  const warnings: string[] = []
  return { rows, count: rows.length, warn: (id, problem) => { warnings.push(`${id}: ${problem}`) }, warnings }
}

t.test('a row with nothing but its id becomes a Group without members', async t => {
  const group = toGroup(rowOf('patient_groups', { id: 'g-1', updated_at: '2024-01-31 09:30:00+00' }), membersOf())
  t.strictSame(group, { resourceType: 'Group', id: 'g-1', meta: { lastUpdated: '2024-01-31T09:30:00Z' }, type: 'person', actual: true, quantity: 0 })
  t.strictSame(findProblems(group), [])
})

t.test('a full row and its members become a full Group', async t => {
  const group = toGroup(rowOf('patient_groups', {
    id: 'cardiology',
    identifier: [{ system: 'https://hospital.example.org/groups', value: '7' }],
    active: false,
    name: 'Cardiology',
    code: { text: 'cardiology patients' },
    managing_entity: { reference: 'Organization/main' },
  }), membersOf(
    rowOf('patient_group_members', { id: 'm-1', group_id: 'cardiology', patient_id: 'ada', period_start: '2024-01', period_end: '2999' }),
    rowOf('patient_group_members', { id: 'm-2', group_id: 'cardiology', patient_id: 'carl', inactive: true })
  ))
  t.strictSame(group, {
    resourceType: 'Group',
    id: 'cardiology',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
    type: 'person',
    actual: true,
    quantity: 2,
    identifier: [{ system: 'https://hospital.example.org/groups', value: '7' }],
    active: false,
    name: 'Cardiology',
    code: { text: 'cardiology patients' },
    managingEntity: { type: 'Organization', identifier: { value: 'main' } },
    member: [
      { entity: { reference: 'Patient/ada' }, period: { start: '2024-01', end: '2999' } },
      { entity: { reference: 'Patient/carl' }, inactive: true },
    ],
  })
  t.strictSame(findProblems(group), [])
})

t.test('a member that cannot be read is left out, told, and the Group is marked', async t => {
  const members = membersOf(
    rowOf('patient_group_members', { id: 'm-1', group_id: 'g-1', patient_id: 'not an id' }),
    rowOf('patient_group_members', { id: 'm-2', group_id: 'g-1', patient_id: 'ada', period_start: '2024', period_end: '2023' }),
    rowOf('patient_group_members', { id: 'm-3', group_id: 'g-1', patient_id: 'ada' })
  )
  const group = toGroup(rowOf('patient_groups', { id: 'g-1' }), members)
  t.strictSame(group.member, [{ entity: { reference: 'Patient/ada' } }])
  t.equal(group.quantity, 3)
  t.match(group.meta?.tag, [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }])
  t.match(members.warnings, [/^m-1: entity\.reference must be/, /^m-2: period must not end before it starts/])
  t.strictSame(findProblems(group), [])
})

t.test('a row that cannot make a Group throws', async t => {
  t.throws(() => toGroup(rowOf('patient_groups', { id: 'no id' }), membersOf()), { name: 'ElementError' })
  t.throws(() => toGroup(rowOf('patient_groups', { code: 'text' }), membersOf()), { name: 'ElementError' })
})
