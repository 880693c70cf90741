import { readStoredParameters, type ClaimedExport, type ExportLevel } from '@fhir-bulk-export/core/exports'
import { parseTypeFilter, toFilterSql, type FilterSql, type TypeFilter } from '@fhir-bulk-export/core/search'
import type { Source } from '@fhir-bulk-export/core/source'

/**
 * What an export reads: plain values, so that it travels to the readers as it is. Null means "not limited", and is said so in
 * the SQL (conditions.ts), never by an empty value; an empty list means "nothing".
 */
export interface SnapshotFilter {
  /** The types of its output, with Provenance where it comes as associated data. */
  types: readonly string[]
  /** At system level everything, at patient level what belongs to patients, of the types of their compartment. */
  level: ExportLevel
  /** A PATIENT's own compartment. */
  patientId: string | null
  /** Only these compartments. */
  patientIds: string[] | null
  /** Only the compartments of this group's members. */
  groupId: string | null
  /** FHIR instants, to the microsecond. */
  since: string | null
  until: string | null
  typeFilters: TypeFilter[]
  /** Identifier.system of the bare `mrn` column, for filters that ask for identifiers. */
  mrnSystem: string | undefined
  /** When the attempt began: what `ap` of a date is measured from. */
  asOf: Date
  /** Which Provenance, where not simply all: that of the other types' exported resources, or of it the latest for each. */
  associated: 'relevant' | 'latest' | null
  /** `_elements`: `element` or `Type.element`. */
  elements: string[]
}

/** What of an export's row its snapshot is read by. */
export function toSnapshotFilter (row: ClaimedExport, mrnSystem: string | undefined): SnapshotFilter {
  const parameters = readStoredParameters(row.parameters)
  return {
    types: row.types,
    level: row.level,
    patientId: row.patient_id,
    patientIds: parameters.patient ?? null,
    groupId: row.group_id,
    since: parameters._since ?? null,
    until: parameters._until ?? null,
    typeFilters: (parameters._typeFilter ?? []).map(parseTypeFilter),
    mrnSystem,
    asOf: new Date(),
    associated: toAssociated(parameters.includeAssociatedData ?? []),
    elements: parameters._elements ?? [],
  }
}

/** Bulk Data 3.0.0, includeAssociatedData: of conflicting values the least restrictive one SHALL be applied. */
function toAssociated (values: string[]): SnapshotFilter['associated'] {
  if (values.includes('RelevantProvenanceResources')) return 'relevant'
  return values.includes('LatestProvenanceResources') ? 'latest' : null
}

/** The same for the same filter and source, in every session. */
export function toTypeFilterSql ({ typeFilters, mrnSystem, asOf }: SnapshotFilter, { relations }: Source): FilterSql {
  return toFilterSql(typeFilters, relations, { mrnSystem, now: asOf })
}

/** COPY takes no parameters, so the filter's values travel as settings of the session. */
export function toSettings (filter: SnapshotFilter, source: Source): Record<string, string> {
  const { patientId, patientIds, groupId, since, until } = filter
  const { settings } = toTypeFilterSql(filter, source)
  if (patientId !== null) settings['fhir_bulk_export.patient_id'] = patientId
  if (patientIds !== null) settings['fhir_bulk_export.patient_ids'] = JSON.stringify(patientIds)
  if (groupId !== null) settings['fhir_bulk_export.group_id'] = groupId
  if (since !== null) settings['fhir_bulk_export.since'] = since
  if (until !== null) settings['fhir_bulk_export.until'] = until
  return settings
}

/** The latest instant of which it can be said that everything up to it is in the export, and from which a chain of `_since` goes on. */
export function toTransactionTime ({ until }: SnapshotFilter, snapshotTime: Date): Date {
  const end = until === null ? snapshotTime : new Date(until) // without its microseconds: no later
  return end < snapshotTime ? end : snapshotTime
}
