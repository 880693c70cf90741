import { isId } from '@fhir-bulk-export/core/fhir'
import { exportedRelations } from '@fhir-bulk-export/core/source'
import type { ExportedType } from '@fhir-bulk-export/core/source'
import type { Bundle, BundleEntry } from 'fhir/r4.js'
import { liveConditions, liveMembers, ownerConditions, toFrom, toPeriod } from './conditions.ts'
import { readLines, toFields } from './copy-lines.ts'
import type { SnapshotFilter } from './filter.ts'
import type { Lines } from './write-file.ts'

/** Entries of a line: few enough for a client to apply one as a transaction. */
const bundleEntries = 500

/**
 * What was deleted in the export's period: type and id. A row that is deleted now, or whose patient is, is in here and not in
 * the output, which is read from the same snapshot and holds only rows of which neither is true.
 *
 * No delete may be missed, and one too many does no harm to a client that has no such resource. So a row counts if either its
 * own change or its patient's deletion falls into the period; content is not looked at (`_typeFilter`), for that of a deleted
 * row may be gone; and of a group, whoever has ever been a member counts, since memberships end with their patients.
 */
export function toDeletedQuery (filter: SnapshotFilter): string {
  return `COPY (${filter.types.map((type) => toQuery(type, filter)).join(' UNION ALL ')}) TO STDOUT`
}

/** A row that moved to another patient may have left a deleted one of its id behind: it is gone only for who cannot see it there. */
function toQuery (type: ExportedType, filter: SnapshotFilter): string {
  const isLive = ['r.id::text = d.id', ...liveConditions(type), ...ownerConditions(type, filter, liveMembers)]
  return `SELECT '${type}', d.id FROM (${toDeletedRows(type, filter).join(' UNION ')}) AS d WHERE NOT EXISTS (SELECT ${toFrom(type, isLive)})`
}

const everMembers = "SELECT m.patient_id::text FROM source.patient_group_members m WHERE m.group_id::text = current_setting('fhir_bulk_export.group_id')"

function toDeletedRows (type: ExportedType, filter: SnapshotFilter): string[] {
  const own = ownerConditions(type, filter, everMembers)
  const changed = toPeriod('r.updated_at', filter)
  const deleted = `SELECT r.id::text AS id ${toFrom(type, ['r.deleted_at IS NOT NULL', changed, ...own])}`
  if (type === 'Patient') return [deleted]
  const withPatient = (when: string[]) => `SELECT r.id::text FROM source.${exportedRelations[type]} r
    JOIN source.patients p ON p.id = r.patient_id AND p.deleted_at IS NOT NULL WHERE ${[...when, ...own].join(' AND ')}`
  return [
    deleted,
    withPatient([toPeriod('p.updated_at', filter)]),
    // Given to a patient who had been deleted before, as when two records are merged.
    withPatient([changed, ...(filter.until === null ? [] : ["p.updated_at <= current_setting('fhir_bulk_export.until')::timestamptz"])]),
  ]
}

/** Bulk Data 3.0.0, Response - Complete Status, `deleted`: transaction Bundles whose entries are DELETE requests. */
export async function * toDeletedLines (chunks: AsyncIterable<Buffer>): AsyncGenerator<Lines> {
  let entry: BundleEntry[] = []
  for await (const lines of readLines(chunks)) {
    for (const line of lines) {
      const [type, id] = toFields(line)
      if (!isId(id)) continue // no resource of that id was ever exported
      entry.push({ request: { method: 'DELETE', url: `${type}/${id}` } })
      if (entry.length < bundleEntries) continue
      yield toLine(entry)
      entry = []
    }
  }
  if (entry.length > 0) yield toLine(entry)
}

function toLine (entry: BundleEntry[]): Lines {
  const bundle: Bundle = { resourceType: 'Bundle', type: 'transaction', entry }
  return { bytes: Buffer.from(JSON.stringify(bundle) + '\n'), count: 1 }
}
