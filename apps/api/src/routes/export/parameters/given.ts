/** A parameter as it came, from the query or the body: once for each time it is named. */
export interface Given {
  name: string
  value: string
  from: 'query' | 'body'
}

const parameterNames = [
  '_type', '_since', '_until', '_outputFormat', '_elements', '_typeFilter', 'includeAssociatedData', 'patient',
] as const
export type ParameterName = (typeof parameterNames)[number]

/** Bulk Data 3.0.0, Query Parameters: known, and not supported here. */
const notSupported: ReadonlySet<string> = new Set(['organizeOutputBy', 'allowPartialManifests'])

export function isParameterName (name: string): name is ParameterName {
  return parameterNames.some((known) => known === name)
}

export function isKnownUnsupported (name: string): boolean {
  return notSupported.has(name)
}
