import { exportedRelations, relations } from '@fhir-bulk-export/core/source'
import type { ExportedType } from '@fhir-bulk-export/core/source'
import { toAssociatedCondition } from './associated.ts'
import { toConditions, toFrom } from './conditions.ts'
import type { SnapshotFilter } from './filter.ts'

/** The SQL that reads a type's rows. It is put together from constants only; values come from the session's settings. */

/** Of a table's blocks, `from` ≤ block < `to`; `to` null: to the end, wherever that is. */
export interface BlockRange { from: number, to: number | null }

export interface CopyQuery {
  /** COPY in text format: first whether the row's attachments were withheld for their size, then `columns`. */
  sql: string
  columns: string[]
}

/** Columns that may hold a file's content. */
const attachmentColumns: Partial<Record<ExportedType, string>> = { DocumentReference: 'content', Consent: 'source_attachment' }

// A compressed value is never smaller than this part of its text (LZ4's bound): what is smaller need not be unpacked to be measured.
const compressionBound = 256

export function toCountQuery (type: ExportedType, filter: SnapshotFilter): string {
  return `SELECT count(*) ${toSelected(type, filter, null)}`
}

export function toCopyQuery (type: ExportedType, filter: SnapshotFilter, range: BlockRange | null, maxAttachmentBytes: number): CopyQuery {
  const columns = Object.keys(relations[exportedRelations[type]])
  const attachment = attachmentColumns[type]
  const isWithheld = attachment === undefined
    ? 'false'
    : `coalesce(pg_column_size(r.${attachment}) > ${Math.floor(maxAttachmentBytes / compressionBound)} AND octet_length(r.${attachment}::text) > ${maxAttachmentBytes}, false)`
  const select = columns.map((column) => column === attachment ? `CASE WHEN ${isWithheld} THEN NULL ELSE r.${column} END` : `r.${column}`)
  return { sql: `COPY (SELECT ${[isWithheld, ...select].join(', ')} ${toSelected(type, filter, range)}) TO STDOUT`, columns }
}

function toSelected (type: ExportedType, filter: SnapshotFilter, range: BlockRange | null): string {
  const conditions = type === 'Provenance' && filter.associated !== null ? [toAssociatedCondition(filter)] : toConditions(type, filter)
  if (range !== null) conditions.push(`r.ctid >= '(${range.from},0)'`)
  if (range?.to != null) conditions.push(`r.ctid < '(${range.to},0)'`)
  return toFrom(type, conditions)
}
