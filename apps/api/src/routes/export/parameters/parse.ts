import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { Caller } from '../../../auth/caller.ts'
import { quote } from '../../../http/quote.ts'
import { parseAssociatedData } from './associated-data.ts'
import { parseElements } from './elements.ts'
import { isKnownUnsupported, isParameterName } from './given.ts'
import type { Given, ParameterName } from './given.ts'
import { parseSince, parseUntil } from './instants.ts'
import { assertFewParameters } from './limits.ts'
import { parsePatients } from './patients.ts'
import type { Refusal } from './refusal.ts'
import { parseTypeFilters } from './type-filters.ts'
import { assertPermitted, parseTypes } from './types.ts'
import type { TypeContext } from './types.ts'
import { toList, toSingle } from './values.ts'

/** What a kick-off asks for (Bulk Data 3.0.0, Query Parameters). What the fields mean to an export: db/tables/bulk-export-jobs.ts. */
export interface KickOffParameters {
  types: string[]
  /** FHIR instants in UTC, to the microsecond, which is what PostgreSQL keeps. */
  since: string | null
  until: string | null
  elements: string[]
  typeFilters: string[]
  associatedData: string[]
  /** As they were named: whether there are such patients is not known yet. */
  patientIds: string[] | null
}

export interface KickOffContext extends TypeContext {
  publicUrl: string
  now: Date
  caller: Pick<Caller, 'role' | 'types' | 'patientId'>
  refusal: Refusal
}

const outputFormats = ['application/fhir+ndjson', 'application/ndjson', 'ndjson']

/** @throws ServiceError INVALID_PARAMETER, UNSUPPORTED_PARAMETER or FORBIDDEN that names the parameter. */
export function parseKickOff (given: Given[], context: KickOffContext): KickOffParameters {
  assertFewParameters(given.length)
  const { refusal, now } = context
  const valuesOf = toValues(given, refusal)
  assertOutputFormat(toSingle('_outputFormat', valuesOf('_outputFormat')))
  const since = toSingle('_since', valuesOf('_since'))
  const until = toSingle('_until', valuesOf('_until'))
  const from = since === undefined ? null : parseSince(since, now)
  const associatedData = parseAssociatedData(valuesOf('includeAssociatedData'), context, refusal)
  const named = parseTypes(valuesOf('_type'), context, refusal)
  const asked = withProvenance(named, associatedData, context)
  const { typeFilters, types } = parseTypeFilters(valuesOf('_typeFilter'), asked, refusal)
  const isEmptied = associatedData.length > 0 && isProvenanceAlone(types) && !isProvenanceAlone(toNames(valuesOf('_type'), named))
  return {
    typeFilters,
    types: isEmptied ? [] : types,
    since: from,
    until: until === undefined ? null : parseUntil(until, from),
    elements: parseElements(valuesOf('_elements'), refusal),
    associatedData,
    patientIds: parsePatients(valuesOf('patient'), { ...context, callerPatientId: context.caller.patientId }),
  }
}

function toValues (given: Given[], { refuse }: Refusal): (name: ParameterName) => string[] {
  const values = new Map<ParameterName, string[]>()
  for (const { name, value, from } of given) {
    if (!isParameterName(name)) {
      refuse(isKnownUnsupported(name) ? `The parameter ${name} is not supported` : `Unknown parameter ${quote(name)}`)
    } else if (name === 'patient' && from === 'query') {
      // Bulk Data 3.0.0: a query would leave the patients' ids in logs. To ignore it would be to export everybody.
      throw new ServiceError('INVALID_PARAMETER', 'The parameter patient may be given in the body of a POST only')
    } else {
      const others = values.get(name)
      if (others === undefined) values.set(name, [value])
      else others.push(value)
    }
  }
  return (name) => values.get(name) ?? []
}

function assertOutputFormat (format: string | undefined): void {
  // A `+` that was not encoded arrives as a space.
  if (format !== undefined && !outputFormats.includes(format.replaceAll(' ', '+'))) {
    throw new ServiceError('INVALID_PARAMETER', `_outputFormat must be one of ${outputFormats.join(', ')}, not ${quote(format)}`)
  }
}

/**
 * Asked for alone, Provenance is associated with all other types. Where it alone is left of more, because a lenient request
 * had to do without the rest, it is associated with nothing: lenient never widens.
 */
function isProvenanceAlone (types: string[]): boolean {
  return types.every((type) => type === 'Provenance')
}

/** The types that `_type` names, whether there are such types or not; without `_type` all that the caller may have. */
function toNames (values: string[], permitted: string[]): string[] {
  return values.length === 0 ? permitted : toList('_type', values)
}

/** Provenance that is to come with what is exported comes although `_type` leaves it out; with nothing comes nothing. */
function withProvenance (types: string[], associatedData: string[], context: TypeContext): string[] {
  if (associatedData.length === 0 || types.length === 0) return types
  assertPermitted('Provenance', context)
  return context.sourceTypes.filter((type) => type === 'Provenance' || types.includes(type))
}
