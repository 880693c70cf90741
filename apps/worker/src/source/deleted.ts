import { getRelation, type Source } from '@fhir-bulk-export/core/source'
import type { SourceRelation } from '@fhir-bulk-export/core/resources'
import { everMembers, liveConditions, liveMembers, patientConditions, patientColumns, toFrom, toPeriod } from './conditions.ts'
import type { SnapshotFilter } from './filter.ts'

/**
 * What was deleted in the export's period: type and id. A row that is deleted now, or whose patient is, is in here and not in
 * the output, which is read from the same snapshot and holds only rows of which neither is true.
 *
 * No delete may be missed, and one too many does no harm to a client that has no such resource. So a row counts if either its
 * own change or its patient's deletion falls into the period; content is not looked at (`_typeFilter`), for that of a deleted
 * row may be gone; and of a group every former member counts, since memberships end with their patients.
 *
 * Undefined where nothing of these types can be deleted.
 */
export function toDeletedQuery (filter: SnapshotFilter, source: Source): string | undefined {
  const queries = filter.types.flatMap((type) => toQuery(getRelation(source, type), filter, source))
  return queries.length === 0 ? undefined : `COPY (${queries.join(' UNION ALL ')}) TO STDOUT (FORMAT binary)`
}

/** A row that moved to another patient may have left a deleted one of its id behind: it is gone only for who cannot see it there. */
function toQuery (relation: SourceRelation, filter: SnapshotFilter, source: Source): string[] {
  const rows = toDeletedRows(relation, filter, source)
  if (rows.length === 0) return []
  const isLive = ['r.id::text = d.id', ...liveConditions(relation, source), ...patientConditions(relation, filter, liveMembers(source))]
  return [`SELECT '${relation.type}'::text, d.id FROM (${rows.join(' UNION ')}) AS d WHERE NOT EXISTS (SELECT ${toFrom(relation, isLive)})`]
}

function toDeletedRows (relation: SourceRelation, filter: SnapshotFilter, source: Source): string[] {
  const own = patientConditions(relation, filter, everMembers(source))
  const changed = toPeriod('r.updated_at', filter)
  const deleted = 'deleted_at' in relation.columns
    ? [`SELECT r.id::text AS id ${toFrom(relation, ['r.deleted_at IS NOT NULL', changed, ...own])}`]
    : []
  if (!('patient_id' in relation.columns && 'deleted_at' in (patientColumns(source) ?? {}))) return deleted
  const withPatient = (when: string[]) => `SELECT r.id::text AS id FROM source.${relation.relation} r
    JOIN source.patients p ON p.id::text = r.patient_id::text AND p.deleted_at IS NOT NULL WHERE ${[...when, ...own].join(' AND ')}`
  return [
    ...deleted,
    withPatient([toPeriod('p.updated_at', filter)]),
    // Given to a patient who had been deleted before, as when two records are merged.
    withPatient([changed, ...(filter.until === null ? [] : ["p.updated_at <= current_setting('fhir_bulk_export.until')::timestamptz"])]),
  ]
}
