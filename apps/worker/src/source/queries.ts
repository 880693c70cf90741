import { getRelation, type Source } from '@fhir-bulk-export/core/source'
import type { SelectedColumn } from '@fhir-bulk-export/core/resources'
import { toAssociatedCondition } from './associated.ts'
import { toConditions, toFrom } from './conditions.ts'
import type { SnapshotFilter } from './filter.ts'

/** The SQL that reads a type's rows. It is put together from constants only; values come from the session's settings. */

/** Of a table's blocks, `from` ≤ block < `to`; `to` null: to the end, wherever that is. */
export interface BlockRange { from: number, to: number | null }

// A compressed value is never smaller than this part of its text (LZ4's bound): a smaller one need not be unpacked to be measured.
const compressionBound = 256

/** What is read of a type, to be planned. */
export function toRowsQuery (type: string, filter: SnapshotFilter, source: Source): string {
  return `SELECT ${toSelected(type, filter, source, null)}`
}

export function toCountQuery (type: string, filter: SnapshotFilter, source: Source): string {
  return `SELECT count(*) ${toSelected(type, filter, source, null)}`
}

/**
 * COPY in binary format: the columns, of which a measured one that is too large is withheld (NULL); then, for each of the measured ones,
 * whether the row has it.
 */
export function toCopyQuery (
  type: string, columns: readonly SelectedColumn[], filter: SnapshotFilter, source: Source, range: BlockRange | null, maxBytes: number
): string {
  const select = columns.map(({ sql, isMeasured }) => isMeasured ? `CASE WHEN ${isTooLarge(sql, maxBytes)} THEN NULL ELSE ${sql} END` : sql)
  const present = columns.filter(({ isMeasured }) => isMeasured).map(({ sql }) => `${sql} IS NOT NULL`)
  return `COPY (SELECT ${[...select, ...present].join(', ')} ${toSelected(type, filter, source, range)}) TO STDOUT (FORMAT binary)`
}

function isTooLarge (column: string, maxBytes: number): string {
  return `pg_column_size(${column}) > ${Math.floor(maxBytes / compressionBound)} AND octet_length(${column}::text) > ${maxBytes}`
}

function toSelected (type: string, filter: SnapshotFilter, source: Source, range: BlockRange | null): string {
  const conditions = type === 'Provenance' && filter.associated !== null
    ? [toAssociatedCondition(filter, source)]
    : toConditions(type, filter, source)
  if (range !== null) conditions.push(`r.ctid >= '(${range.from},0)'`)
  if (range?.to != null) conditions.push(`r.ctid < '(${range.to},0)'`)
  return toFrom(getRelation(source, type), conditions)
}
