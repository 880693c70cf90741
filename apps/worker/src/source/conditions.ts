import { isInCompartment, type SourceRelation } from '@fhir-bulk-export/core/resources'
import { getRelation, ofLivePatient, toLiveMembers, toMembers, type Source } from '@fhir-bulk-export/core/source'
import { toTypeFilterSql, type SnapshotFilter } from './filter.ts'

/**
 * What a type's rows (alias `r`) are limited to, in the order of Bulk Data 3.0.0 (Processing Model). The text is made of
 * constants; values come from the session's settings, read without current_setting's second argument: a value that is
 * missing is an error, never "no filter". Ids are compared as text, since a site may have them as uuid.
 */
export function toConditions (type: string, filter: SnapshotFilter, source: Source): string[] {
  const relation = getRelation(source, type)
  const condition = toTypeFilterSql(filter, source).conditions[type]
  return [
    ...liveConditions(relation, source),
    ...patientConditions(relation, filter, liveMembers(source)),
    ...changeConditions(relation, filter, source),
    ...(condition === undefined ? [] : [`(${condition})`]),
  ]
}

/** Rows of a deleted patient count as deleted. */
export function liveConditions (relation: SourceRelation, source: Source): string[] {
  return [
    ...('deleted_at' in relation.columns ? ['r.deleted_at IS NULL'] : []),
    ...('patient_id' in relation.columns ? ofLivePatient('r', patientColumns(source)) : []),
  ]
}

/** undefined where there are no patients. */
export function patientColumns ({ relations }: Source): SourceRelation['columns'] | undefined {
  return relations.find(({ type }) => type === 'Patient')?.columns
}

/** The group's members, by patient_id; without inactive ones (http://hl7.org/fhir/R4/group.html); a deleted group has none. */
export function liveMembers (source: Source): string {
  const groups = source.relations.find(({ type }) => type === 'Group')
  const isDeleted = groups === undefined ? 'true' : 'deleted_at' in groups.columns ? 'g.deleted_at IS NOT NULL' : 'false'
  return `SELECT m.patient_id FROM ${toLiveMembers(source.members, undefined)} m
    WHERE m.group_id = current_setting('fhir_bulk_export.group_id') AND m.inactive IS NOT TRUE
    AND EXISTS (SELECT FROM ${groups === undefined ? '(SELECT NULL AS id)' : 'source.patient_groups'} g
      WHERE g.id::text = m.group_id AND NOT ${isDeleted})`
}

/** The patients that have ever been members, by patient_id. */
export function everMembers (source: Source): string {
  return `SELECT m.patient_id FROM ${toMembers(source.members)} m WHERE m.group_id = current_setting('fhir_bulk_export.group_id')`
}

/**
 * Limits rows to patients; `members` selects the ids of the group's. Rows of a type outside of the Patient compartment belong to no
 * patient: an export of several patients has all of them, but a group's export has its own Group alone, as others name other patients. At
 * patient level rows of the compartment without a patient stay out.
 */
export function patientConditions (
  { type, columns }: SourceRelation, { level, patientId, patientIds, groupId }: SnapshotFilter, members: string
): string[] {
  if (type === 'Group' && groupId !== null && patientId === null) return ["r.id::text = current_setting('fhir_bulk_export.group_id')"]
  if (!isInCompartment(type)) return patientId === null ? [] : ['false']
  const patient = type === 'Patient' ? 'r.id::text' : 'patient_id' in columns ? 'r.patient_id::text' : 'NULL'
  const conditions: string[] = []
  if (patientId !== null) conditions.push(`${patient} = current_setting('fhir_bulk_export.patient_id')`)
  if (patientIds !== null) {
    conditions.push(`${patient} IN (SELECT jsonb_array_elements_text(current_setting('fhir_bulk_export.patient_ids')::jsonb))`)
  }
  if (groupId !== null) conditions.push(`${patient} IN (${members})`)
  if (level === 'patient' && conditions.length === 0 && type !== 'Patient') conditions.push(`${patient} IS NOT NULL`)
  return conditions
}

/**
 * `_since` is exclusive and `_until` inclusive, so that periods which meet leave no row out. Of a group's members that joined
 * after `_since`, everything is exported: the client has nothing of theirs.
 */
function changeConditions ({ type, columns }: SourceRelation, filter: SnapshotFilter, source: Source): string[] {
  const conditions: string[] = []
  if (filter.since !== null) {
    const changed = `(r.updated_at > ${since} OR r.updated_at IS NULL)` // a row without a time is an error, which its line tells
    const patient = type === 'Patient' ? 'r.id' : isInCompartment(type) && 'patient_id' in columns ? 'r.patient_id' : undefined
    conditions.push(filter.groupId === null || patient === undefined
      ? changed
      : `(${changed} OR ${patient}::text IN (${liveMembers(source)} AND m.updated_at > ${since}))`)
  }
  if (filter.until !== null) conditions.push(`(r.updated_at <= ${until} OR r.updated_at IS NULL)`)
  return conditions
}

/** SQL that is true where a change of then falls into the export's period. */
export function toPeriod (updatedAt: string, filter: SnapshotFilter): string {
  return `${updatedAt} > ${since}${filter.until === null ? '' : ` AND ${updatedAt} <= ${until}`}`
}

const since = "current_setting('fhir_bulk_export.since')::timestamptz"
const until = "current_setting('fhir_bulk_export.until')::timestamptz"

export function toFrom ({ relation }: SourceRelation, conditions: string[]): string {
  return `FROM source.${relation} r WHERE ${conditions.length === 0 ? 'true' : conditions.join(' AND ')}`
}
