/** Who belongs to the groups of source.patient_groups: no resource type of its own, but a part of Group. */
export const membersRelation = 'patient_group_members'

/** Its columns that are elements of Group. */
export const memberElements: Readonly<Record<string, string>> = {
  period_start: 'member.period.start',
  period_end: 'member.period.end',
  inactive: 'member.inactive',
}

/**
 * SQL: every row of it, deleted ones among them, as `id, updated_at, deleted_at, group_id, patient_id, period_start, period_end,
 * inactive`, whatever columns there are; ids and periods as text. `members` is undefined where there is no such relation.
 */
export function toMembers (members: Readonly<Record<string, unknown>> | undefined): string {
  const has = (column: string, type: string) => members?.[column] === undefined ? `NULL::${type} AS ${column}` : `${column}::${type}`
  return `(SELECT ${members === undefined ? 'NULL::text AS id' : 'id::text'}, ${has('updated_at', 'timestamptz')}, ${has('deleted_at', 'timestamptz')},
    ${has('group_id', 'text')}, ${has('patient_id', 'text')}, ${has('period_start', 'text')}, ${has('period_end', 'text')}, ${has('inactive', 'boolean')}
    ${members === undefined ? 'WHERE false' : `FROM source.${membersRelation}`})`
}
