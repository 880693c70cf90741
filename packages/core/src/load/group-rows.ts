import { createHash } from 'node:crypto'
import type { Group, GroupMember } from 'fhir/r4.js'
import { period, reference } from '../fhir/datatypes.ts'
import { ElementError } from '../fhir/element-error.ts'
import { groupColumns, memberColumns } from '../fhir/group.ts'
import { boolean, codeOf } from '../fhir/primitives.ts'
import { list, partialObject, refine, type Scope } from '../fhir/reading.ts'
import { patientIdOf, resourceElements, type LoadedRow } from './rows.ts'

export interface GroupRows { group: LoadedRow<'patient_groups'>, members: Array<LoadedRow<'patient_group_members'>> }

const member = refine(partialObject<GroupMember>({ entity: reference(), period, ...memberColumns.elements }, ['entity']), keepPatient)

/** Members who are no patients have no row; of a patient it has the id. */
function keepPatient (given: GroupMember, scope: Scope): GroupMember | undefined {
  const isPatient = patientIdOf(given.entity) !== null
  const lost = isPatient ? Object.keys(given.entity).filter(key => key !== 'reference').map(key => `entity.${key}`) : ['entity']
  for (const path of lost) scope.notes.push({ path, remark: 'is not held' })
  return isPatient ? given : undefined
}

const group = partialObject<Group>({
  ...resourceElements,
  resourceType: codeOf('Group'),
  type: codeOf('person', 'animal', 'practitioner', 'device', 'medication', 'substance'),
  actual: boolean,
  member: list(member),
  ...groupColumns.elements,
}, ['id', 'type', 'actual'])

export const readGroupRows = refine(group, function toGroupRows (resource): GroupRows {
  if (resource.type !== 'person') throw new ElementError('must be person: only groups of patients are held', 'type')
  if (!resource.actual) throw new ElementError('must be true: a group without actual members is not held', 'actual')
  const id = resource.id ?? ''
  const row: Partial<LoadedRow<'patient_groups'>> = { id }
  groupColumns.toColumns(resource, row)

  const times = new Map<string, number>()
  const members = (resource.member ?? []).map(function toMember (given) {
    const patientId = patientIdOf(given.entity) ?? ''
    const time = (times.get(patientId) ?? 0) + 1
    times.set(patientId, time)
    const member: Partial<LoadedRow<'patient_group_members'>> = {
      id: memberId(id, patientId, time),
      group_id: id,
      patient_id: patientId,
      period_start: given.period?.start ?? null,
      period_end: given.period?.end ?? null,
    }
    memberColumns.toColumns(given, member)
    return member as LoadedRow<'patient_group_members'>
  })
  return { group: row as LoadedRow<'patient_groups'>, members }
})

/** The same for the same membership each time the group is loaded; a patient may be a member more than once. */
function memberId (groupId: string, patientId: string, time: number): string {
  return createHash('sha256').update(`${groupId}/${patientId}/${time}`).digest('hex')
}
