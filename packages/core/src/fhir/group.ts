import type { Group, GroupMember } from 'fhir/r4.js'
import { columnsOf } from './columns.ts'
import { codeableConcept, identifier, reference } from './datatypes.ts'
import { ElementError } from './element-error.ts'
import { boolean, string } from './primitives.ts'
import { list, type Scope } from './reading.ts'
import { readId, readMeta, readPatient, readPeriod } from './row.ts'
import type { SourceRow } from '../source/relations.ts'

/** What a row holds of a Group, https://hl7.org/fhir/R4/group.html */
export const groupColumns = columnsOf<Group, 'patient_groups'>('patient_groups', {
  identifier: ['identifier', list(identifier)],
  active: ['active', boolean],
  name: ['name', string],
  code: ['code', codeableConcept],
  managingEntity: ['managing_entity', reference('Organization', 'RelatedPerson', 'Practitioner', 'PractitionerRole')],
})

export const memberColumns = columnsOf<GroupMember, 'patient_group_members'>('patient_group_members', { inactive: ['inactive', boolean] })

/** Bulk Data 3.0.0 and https://hl7.org/fhir/R4/resource.html#Meta: a resource that is not whole says so. */
const subsetted = Object.freeze({ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED', display: 'subsetted' })

export interface GroupMembers {
  /** May be fewer than `count`: then the resource is marked as incomplete. */
  rows: Array<SourceRow<'patient_group_members'>>
  count: number
  /** Called for each row that cannot make a member, with the row's id and what is wrong. */
  warn (id: string | null, problem: string): void
}

/** A row of source.patient_groups and those of its members as a Group of persons. Throws ElementError. */
export function toGroup (row: SourceRow<'patient_groups'>, { rows, count, warn }: GroupMembers): Group {
  const scope: Scope = { purpose: 'export', attachmentBaseUrls: [], notes: [], depth: 0 }
  const member = rows.flatMap(function keepReadable (member) {
    try {
      return [toMember(member, scope)]
    } catch (error) {
      if (!(error instanceof ElementError)) throw error
      warn(member.id, `${error.path} ${error.problem}`)
      return []
    }
  })
  const meta = readMeta(row.updated_at, scope)
  const group: Group = {
    resourceType: 'Group',
    id: readId(row.id, 'id'),
    meta: member.length < count ? { ...meta, tag: [subsetted] } : meta,
    type: 'person',
    actual: true,
    quantity: count,
  }
  groupColumns.toElements(row, group, scope)
  if (member.length > 0) group.member = member
  return group
}

function toMember (row: SourceRow<'patient_group_members'>, scope: Scope): GroupMember {
  const member: GroupMember = { entity: readPatient(row.patient_id, 'entity') }
  const period = readPeriod(row.period_start, row.period_end, 'period', scope)
  if (period !== undefined) member.period = period
  memberColumns.toElements(row, member, scope)
  return member
}
