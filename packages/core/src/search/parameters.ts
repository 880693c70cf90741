import { searchExpressions } from '../r4/index.ts'
import { toSelections, type Selection } from './selection.ts'

export type SearchKind = 'token' | 'date' | 'reference' | 'string' | 'uri' | 'number' | 'quantity'

/** A search parameter of R4 that a filter can ask for. */
export interface SearchParameter {
  name: string
  kind: SearchKind
  selections: readonly Selection[]
}

/** `name:modifier=value,value`: any of the values. */
export interface Criterion { parameter: SearchParameter, modifier: string | undefined, values: string[] }

/** The datatypes that a parameter of each type is compared with (https://hl7.org/fhir/R4/search.html). */
const datatypes: Readonly<Record<SearchKind, readonly string[]>> = {
  token: ['Coding', 'CodeableConcept', 'Identifier', 'ContactPoint', 'code', 'boolean', 'id', 'string', 'uri'],
  date: ['date', 'dateTime', 'instant', 'Period', 'Timing'],
  reference: ['Reference', 'canonical', 'uri'],
  string: ['string', 'markdown', 'HumanName', 'Address'],
  uri: ['uri', 'url', 'canonical'],
  number: ['decimal', 'integer', 'Range'],
  quantity: ['Quantity', 'Age', 'Duration', 'Money', 'Range'],
}

const known = new Map<string, ReadonlyMap<string, SearchParameter>>()

/** The search parameters that filters take, by name: R4's, but for composite and special ones and those whose expression is no path. */
export function searchParametersOf (type: string): ReadonlyMap<string, SearchParameter> {
  let parameters = known.get(type)
  if (parameters === undefined) known.set(type, parameters = readParameters(type))
  return parameters
}

function readParameters (type: string): ReadonlyMap<string, SearchParameter> {
  const parameters = new Map<string, SearchParameter>()
  for (const [name, { kind, expression }] of searchExpressions(type)) {
    if (!isKind(kind)) continue
    const selections = (toSelections(type, expression) ?? []).filter((selection) =>
      selection.isPresence || datatypes[kind].includes(selection.datatype))
    if (selections.length > 0) parameters.set(name, { name, kind, selections })
  }
  return parameters
}

function isKind (kind: string): kind is SearchKind {
  return kind in datatypes
}

/** Whether R4 has a search parameter of this name for the type, taken or not. */
export function isSearchParameter (type: string, name: string): boolean {
  return searchExpressions(type).has(name)
}
