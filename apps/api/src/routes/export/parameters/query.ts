import { Type } from '@sinclair/typebox'
import type { Given } from './given.ts'

const values = (description: string) => Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())], { description }))

/** As the query string is parsed: a parameter that comes twice is a list. What is unknown is named by parseKickOff. */
export const kickOffQuery = Type.Object({
  _type: values('Resource types of FHIR R4, comma-separated or repeated: any that the source has (see /metadata). Default: at patient and group level those of the Patient compartment, at system level all'),
  _since: values('A FHIR instant: only what changed after it'),
  _until: values('A FHIR instant: only what changed before it'),
  _outputFormat: values('application/fhir+ndjson, application/ndjson or ndjson'),
  _elements: values('Root elements to keep, as `element` or `Type.element`, comma-separated or repeated'),
  _typeFilter: values('`Type?parameter=value&…`; several for one type are alternatives'),
  includeAssociatedData: values('LatestProvenanceResources or RelevantProvenanceResources'),
}, { additionalProperties: Type.Union([Type.String(), Type.Array(Type.String())]) })

export function readQuery (query: Record<string, string | string[]>): Given[] {
  return Object.entries(query).flatMap(([name, given]) => [given].flat().map((value): Given => ({ name, value, from: 'query' })))
}
