import { exportedRelations } from '@fhir-bulk-export/core/source'
import type { ExportedType } from '@fhir-bulk-export/core/source'
import type { SnapshotFilter } from './filter.ts'

/**
 * What a type's rows (alias `r`) are limited to, in the order of Bulk Data 3.0.0 (Processing Model). The text is made of
 * constants; values come from the session's settings, read without current_setting's second argument: a value that is
 * missing is an error, never "no filter". Ids are compared as text, since a site may have them as uuid.
 */
export function toConditions (type: ExportedType, filter: SnapshotFilter): string[] {
  const condition = filter.typeFilter.conditions[type]
  return [
    ...liveConditions(type),
    ...ownerConditions(type, filter, liveMembers),
    ...changeConditions(type, filter),
    ...(condition === undefined ? [] : [`(${condition})`]),
  ]
}

/** What belongs to a deleted patient counts as deleted. */
export function liveConditions (type: ExportedType): string[] {
  if (type === 'Patient') return ['r.deleted_at IS NULL']
  return ['r.deleted_at IS NULL', 'NOT EXISTS (SELECT FROM source.patients p WHERE p.id = r.patient_id AND p.deleted_at IS NOT NULL)']
}

export const liveMembers = `SELECT m.patient_id::text FROM source.patient_group_members m JOIN source.patient_groups g ON g.id = m.group_id
  WHERE g.id::text = current_setting('fhir_bulk_export.group_id') AND g.deleted_at IS NULL AND m.deleted_at IS NULL AND m.inactive IS NOT TRUE`

/** Whose rows: `members` gives the ids of the group's. */
export function ownerConditions (type: ExportedType, { patientId, patientIds, groupId }: SnapshotFilter, members: string): string[] {
  const owner = toOwner(type)
  const conditions: string[] = []
  if (patientId !== null) conditions.push(`${owner} = current_setting('fhir_bulk_export.patient_id')`)
  if (patientIds !== null) conditions.push(`${owner} IN (SELECT jsonb_array_elements_text(current_setting('fhir_bulk_export.patient_ids')::jsonb))`)
  if (groupId !== null) conditions.push(`${owner} IN (${members})`)
  return conditions
}

/**
 * `_since` is exclusive and `_until` inclusive, so that periods which meet leave no row out. Of a group's members that joined
 * after `_since`, everything is exported: the client has nothing of theirs.
 */
function changeConditions (type: ExportedType, filter: SnapshotFilter): string[] {
  const conditions: string[] = []
  if (filter.since !== null) {
    const changed = `r.updated_at > ${since}`
    conditions.push(filter.groupId === null ? changed : `(${changed} OR ${toOwner(type)} IN (${liveMembers} AND m.updated_at > ${since}))`)
  }
  if (filter.until !== null) conditions.push(`r.updated_at <= ${until}`)
  return conditions
}

/** SQL that is true where a change of then falls into the export's period. */
export function toPeriod (updatedAt: string, filter: SnapshotFilter): string {
  return `${updatedAt} > ${since}${filter.until === null ? '' : ` AND ${updatedAt} <= ${until}`}`
}

const since = "current_setting('fhir_bulk_export.since')::timestamptz"
const until = "current_setting('fhir_bulk_export.until')::timestamptz"

export function toFrom (type: ExportedType, conditions: string[]): string {
  return `FROM source.${exportedRelations[type]} r WHERE ${conditions.length === 0 ? 'true' : conditions.join(' AND ')}`
}

function toOwner (type: ExportedType): string {
  return type === 'Patient' ? 'r.id::text' : 'r.patient_id::text'
}
