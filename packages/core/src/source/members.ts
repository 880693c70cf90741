import { ofLivePatient } from './live.ts'

/** The members of source.patient_groups: no resource type of its own, but an element of Group. */
export const membersRelation = 'patient_group_members'

/** Its columns that are elements of Group. */
export const memberElements: Readonly<Record<string, string>> = {
  period_start: 'member.period.start',
  period_end: 'member.period.end',
  inactive: 'member.inactive',
}

type Columns = Readonly<Record<string, unknown>>

/**
 * SQL of a table: every row of patient_group_members, deleted ones among them, as `id, updated_at, deleted_at, group_id, patient_id,
 * period_start, period_end, inactive`, whatever columns there are; ids and periods as text. No rows where there is no such relation.
 */
export function toMembers (members: Columns | undefined): string {
  const column = (name: string, type: string) => members?.[name] === undefined ? `NULL::${type} AS ${name}` : `m.${name}::${type}`
  const columns = [
    column('id', 'text'), column('updated_at', 'timestamptz'), column('deleted_at', 'timestamptz'), column('group_id', 'text'),
    column('patient_id', 'text'),
    column('period_start', 'text'), column('period_end', 'text'), column('inactive', 'boolean'),
  ]
  return `(SELECT ${columns.join(', ')} ${members === undefined ? 'WHERE false' : `FROM source.${membersRelation} m`})`
}

/** SQL of a table: of those, the ones that are members now. A deleted member is none, and neither is a deleted patient. */
export function toLiveMembers (members: Columns | undefined, patients: Columns | undefined): string {
  return `(SELECT m.* FROM ${toMembers(members)} m WHERE ${['m.deleted_at IS NULL', ...ofLivePatient('m', patients)].join(' AND ')})`
}
