import { toDocument } from '@fhir-bulk-export/core/search'
import { getRelation, type Source } from '@fhir-bulk-export/core/source'
import { liveConditions, liveMembers, patientConditions, toConditions, toFrom } from './conditions.ts'
import type { SnapshotFilter } from './filter.ts'

/**
 * Bulk Data 3.0.0, includeAssociatedData: "all Provenance resources associated with each of the non-provenance resources being
 * returned", or of each only the most recent. It is decided in the export's own snapshot, by what the other types' conditions
 * select; when the Provenance itself changed does not matter, for it is added after `_since` and `_typeFilter` (Processing
 * Model). An export of Provenance alone returns nothing that it could be about: there the targets are all of the others.
 */
export function toAssociatedCondition (filter: SnapshotFilter, source: Source): string {
  const provenance = getRelation(source, 'Provenance')
  const others = filter.types.filter((type) => type !== 'Provenance')
  const types = others.length > 0 ? others : source.relations.map(({ type }) => type).filter((type) => type !== 'Provenance')
  if (types.length === 0) return 'false'
  const targets = types.map((type) =>
    `SELECT '${type}/' || r.id::text AS reference ${toFrom(getRelation(source, type), toConditions(type, filter, source))}`)
  const document = toDocument(provenance, new Set(['target', 'recorded']), () => 'NULL::text')
  const about =
    `FROM source.${provenance.relation} r CROSS JOIN LATERAL jsonb_path_query(${document}, '$."target"[*]."reference"') AS t (value)
    JOIN (${targets.join(' UNION ALL ')}) AS exported ON exported.reference = regexp_replace(t.value #>> '{}', '/_history/.*$', '')
    WHERE ${[...liveConditions(provenance, source), ...patientConditions(provenance, filter, liveMembers(source))].join(' AND ') || 'true'}`
  return filter.associated === 'latest'
    ? `r.id IN (SELECT latest.id FROM (SELECT DISTINCT ON (exported.reference) r.id ${about}
        ORDER BY exported.reference, fhir_bulk_export.date_from(${document} ->> 'recorded') DESC NULLS LAST, r.updated_at DESC, r.id DESC
      ) AS latest)`
    : `r.id IN (SELECT r.id ${about})`
}
