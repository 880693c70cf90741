import { ServiceError } from '@fhir-bulk-export/core/errors'
import { exportedTypes } from '@fhir-bulk-export/core/source'
import type { ExportedType } from '@fhir-bulk-export/core/source'
import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { parseSince } from './since.ts'

/** As the query string is parsed: a parameter that comes twice is a list. */
export const kickOffQuery = Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]))

export interface KickOffParameters {
  types: ExportedType[]
  since: Date | null
}

const outputFormats = ['application/fhir+ndjson', 'application/ndjson', 'ndjson']
const supported = new Set(['_type', '_since', '_outputFormat'])
/** Bulk Data 3.0.0, Query Parameters: known, and not supported here. */
const unsupported = new Set([
  '_until', '_elements', '_typeFilter', 'includeAssociatedData', 'patient', 'organizeOutputBy', 'allowPartialManifests',
])

/** @throws ServiceError INVALID_PARAMETER or UNSUPPORTED_PARAMETER that names the parameter. */
export function parseKickOff (query: Static<typeof kickOffQuery>, now: Date): KickOffParameters {
  for (const name of Object.keys(query)) {
    if (unsupported.has(name)) throw new ServiceError('UNSUPPORTED_PARAMETER', `The parameter ${name} is not supported`)
    if (!supported.has(name)) throw new ServiceError('UNSUPPORTED_PARAMETER', `Unknown parameter ${quote(name)}`)
  }
  const values = (name: string) => [query[name] ?? []].flat()

  const format = single('_outputFormat', values('_outputFormat'))
  // A `+` that was not encoded arrives as a space.
  if (format !== undefined && !outputFormats.includes(format.replaceAll(' ', '+'))) {
    throw new ServiceError('INVALID_PARAMETER', `_outputFormat must be one of ${outputFormats.join(', ')}, not ${quote(format)}`)
  }
  const since = single('_since', values('_since'))
  return {
    types: parseTypes(values('_type')),
    since: since === undefined ? null : parseSince(since, now),
  }
}

function single (name: string, values: string[]): string | undefined {
  if (values.length > 1) throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} may be given once only`)
  return values.map((value) => refuseEmpty(name, value))[0]
}

/** Comma-separated, repeated or both; in the order of an export's files, each once. */
function parseTypes (values: string[]): ExportedType[] {
  if (values.length === 0) return exportedTypes
  const asked = new Set(values.flatMap((value) => value.split(',')).map((type) => refuseEmpty('_type', type)))
  for (const type of asked) {
    if (!exportedTypes.some((known) => known === type)) {
      throw new ServiceError('UNSUPPORTED_PARAMETER', `_type: ${quote(type)} cannot be exported; supported are ${exportedTypes.join(', ')}`)
    }
  }
  return exportedTypes.filter((type) => asked.has(type))
}

function refuseEmpty (name: string, value: string): string {
  if (value === '') throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} has an empty value`)
  return value
}

function quote (text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text)
}
