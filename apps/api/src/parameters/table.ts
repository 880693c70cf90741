import { ServiceError } from '@fhir-bulk-export/core/errors'
import { splitTypeFilters } from '@fhir-bulk-export/core/search'
import { quote } from '../http/quote.ts'
import { selectElements } from './elements.ts'
import { parseSince, parseUntil } from './instants.ts'
import type { KickOffParameter } from './parameter.ts'
import { assertOwnPatient, toPatientId } from './patients.ts'
import { selectTypeFilters } from './type-filters.ts'
import { addProvenance, selectAssociatedData, selectTypes } from './types.ts'

const text = ['valueString', 'valueCode', 'valueUri']
const outputFormats = ['application/fhir+ndjson', 'application/ndjson', 'ndjson']

/**
 * The kick-off parameters, in the order in which they are applied. A new one is an entry here, a key of ExportParameters
 * (core/exports) for its value, and the worker's source/filter.ts, which applies it. apps/api/README.md has the same limits.
 */
const table = {
  _outputFormat: {
    valueElements: text,
    description: outputFormats.join(', '),
    apply ([format]) {
      // A `+` that was not encoded arrives as a space.
      if (format === undefined || outputFormats.includes(format.replaceAll(' ', '+'))) return
      throw new ServiceError('INVALID_PARAMETER', `_outputFormat must be one of ${outputFormats.join(', ')}, not ${quote(format)}`)
    },
  },
  _since: {
    valueElements: ['valueInstant'],
    description: 'A FHIR instant: only what changed after it',
    apply ([instant], { parameters }, { now }) {
      if (instant !== undefined) parameters._since = parseSince(instant, now)
    },
  },
  _until: {
    valueElements: ['valueInstant'],
    description: 'A FHIR instant: only what changed before it',
    apply ([instant], { parameters }) {
      if (instant !== undefined) parameters._until = parseUntil(instant, parameters._since)
    },
  },
  _type: {
    valueElements: text,
    description: 'Resource types of FHIR R4, comma-separated or repeated: any that the source has (see /metadata). ' +
      'Default: at patient and group level those of the Patient compartment, at system level all',
    list: { max: 200 },
    apply (types, requested, context) {
      requested.types = selectTypes(types, context)
      requested.askedTypes = types.length === 0 ? requested.types : types
    },
  },
  includeAssociatedData: {
    valueElements: text,
    description: 'LatestProvenanceResources or RelevantProvenanceResources',
    list: { max: 10 },
    apply (values, requested, context) {
      const associated = selectAssociatedData(values, context)
      if (associated === undefined) return
      requested.parameters.includeAssociatedData = [associated]
      requested.types = addProvenance(requested.types, context)
    },
  },
  _typeFilter: {
    valueElements: text,
    description: '`Type?parameter=value&…`; several for one type are alternatives',
    list: { max: 50, split: splitTypeFilters },
    apply (filters, requested, { lenience }) {
      const selected = selectTypeFilters(filters, requested.types, lenience)
      requested.types = selected.types
      if (selected.filters.length > 0) requested.parameters._typeFilter = selected.filters
    },
  },
  _elements: {
    valueElements: text,
    description: 'Root elements to keep, as `element` or `Type.element`, comma-separated or repeated',
    list: { max: 500 },
    apply (elements, { parameters }, { lenience }) {
      if (elements.length > 0) parameters._elements = selectElements(elements, lenience)
    },
  },
  patient: {
    valueElements: ['valueReference'],
    description: 'References to patients',
    // Bulk Data 3.0.0: a query would leave the patients' ids in logs.
    isForBodyAlone: true,
    list: { max: 5_000, split: (reference, context) => [toPatientId(reference, context)] },
    apply (ids, { parameters }, { caller }) {
      if (ids.length === 0) return
      assertOwnPatient(ids, caller)
      parameters.patient = ids
    },
  },
} as const satisfies Record<string, KickOffParameter>

export const kickOffParameters: ReadonlyMap<string, KickOffParameter> = new Map(Object.entries(table))

/** Bulk Data 3.0.0, Query Parameters: known, and not supported here. */
export const unsupportedParameters: ReadonlySet<string> = new Set(['organizeOutputBy', 'allowPartialManifests'])
