import { isResourceType } from '../r4/index.ts'
import { toDateCondition, toInstantCondition } from './date-sql.ts'
import { FilterProblem } from './filter-problem.ts'
import { exactFilter, numberFilter, quantityFilter, referenceFilter, toPath, tokenFilter, uriFilter, type ToFilter } from './json-path.ts'
import type { Criterion, SearchKind } from './parameters.ts'
import type { Selection } from './selection.ts'
import { readDate, unescape } from './values.ts'

/** SQL that stands for a value. The value itself never gets into a statement's text. */
export type Bind = (value: string) => string

const modifiers: Readonly<Record<SearchKind, RegExp>> = {
  token: /^(?:missing|not)$/,
  date: /^missing$/,
  reference: /^(?:missing|identifier|[A-Z][A-Za-z]+)$/,
  string: /^(?:missing|exact|contains)$/,
  uri: /^missing$/,
  number: /^missing$/,
  quantity: /^missing$/,
}

/** SQL that is true for rows `r` whose resource, `document` in jsonb, fits the criterion. @throws FilterProblem */
export function toCondition (document: string, criterion: Criterion, bind: Bind, now: Date): string {
  const { parameter: { name, kind, selections }, modifier, values } = criterion
  if (modifier !== undefined && (!modifiers[kind].test(modifier) || (isTypeName(modifier) && !isResourceType(modifier)))) {
    throw new FilterProblem(modifier.includes('.') ? 'is chained, which is not supported' : 'has a modifier that is not supported', true)
  }
  if (modifier === 'missing') return toMissing(document, criterion)
  if (name === '_id') return toIdCondition(criterion, bind)
  if (kind === 'date') {
    const asked = bind(JSON.stringify(values.map((value) => readDate(value, now))))
    if (name === '_lastUpdated') return toInstantCondition('r.updated_at', `${asked}::jsonb`)
    return any(selections.map((selection) => toDateCondition(document, selection, `${asked}::jsonb`)))
  }
  if (kind === 'string' && modifier !== 'exact') {
    const asked = bind(JSON.stringify(values.map(unescape)))
    return any(selections.flatMap(toTexts).map((path) => toTextCondition(document, path, `${asked}::jsonb`, modifier === 'contains')))
  }
  const presence = selections.filter(({ isPresence }) => isPresence)
  const condition = presence.length > 0 ? toPresenceCondition(document, presence, values) : toPathCondition(document, criterion, bind)
  return modifier === 'not' ? `NOT coalesce(${condition}, false)` : condition
}

function isTypeName (modifier: string): boolean {
  return /^[A-Z]/.test(modifier)
}

function any (conditions: string[]): string {
  return conditions.length === 0 ? 'false' : `(${conditions.join(' OR ')})`
}

function toMissing (document: string, { parameter: { name, selections }, values: [value, ...others] }: Criterion): string {
  if ((value !== 'true' && value !== 'false') || others.length > 0) throw new FilterProblem('must be true or false')
  const isThere = name === '_id' || name === '_lastUpdated'
    ? 'true'
    : any(selections.map((selection) => `coalesce(${document} @? '${toPresent(selection)}', false)`))
  return value === 'true' ? `NOT ${isThere}` : isThere
}

function toPresent ({ path, target }: Selection): string {
  return target === undefined ? path : `${path} ? (@."reference" like_regex "(^|/)${target}/[^/]+(/_history/.*)?$")`
}

function toIdCondition ({ modifier, values }: Criterion, bind: Bind): string {
  for (const id of values) if (!/^[A-Za-z0-9.-]{1,64}$/.test(id)) throw new FilterProblem('must be an id')
  const ids = `ARRAY(SELECT jsonb_array_elements_text(${bind(JSON.stringify(values))}::jsonb))`
  return `${modifier === 'not' ? 'NOT ' : ''}r.id::text = ANY (${ids})`
}

/** One path for all values: a GIN index on the resource (jsonb_path_ops) answers it. */
function toPathCondition (document: string, { parameter: { kind, selections }, modifier, values }: Criterion, bind: Bind): string {
  const toFilter = toFilterOf(kind, modifier)
  const paths = selections.flatMap((selection) => modifier === 'exact'
    ? toTexts(selection).map((path) => ({ selection, path }))
    : [{ selection, path: toPath(selection, modifier) }])
  const problems: FilterProblem[] = []
  const conditions = paths.flatMap(({ selection, path }) => {
    const filters = values.flatMap((value) => collect(problems, () => toFilter(value, selection)))
    return filters.length === 0
      ? []
      : [`${document} @? ${bind(`${path} ? (${filters.map((filter) => `(${filter})`).join(' || ')})`)}::jsonpath`]
  })
  // A value that is wrong for one datatype may be right for another one of the parameter's.
  const [problem] = problems
  if (problem !== undefined && problems.length >= paths.length) throw problem
  return any(conditions)
}

function collect (problems: FilterProblem[], make: () => string | undefined): string[] {
  try {
    const filter = make()
    return filter === undefined ? [] : [filter]
  } catch (error) {
    if (!(error instanceof FilterProblem)) throw error
    problems.push(error)
    return []
  }
}

function toFilterOf (kind: SearchKind, modifier: string | undefined): ToFilter {
  if (modifier === 'identifier') return tokenFilter
  switch (kind) {
    case 'reference': return referenceFilter(modifier)
    case 'uri': return uriFilter
    case 'string': return exactFilter
    case 'number': return numberFilter
    case 'quantity': return quantityFilter
    default: return tokenFilter
  }
}

/** `Patient?deceased=true`: whether there is a value that is not false. */
function toPresenceCondition (document: string, selections: Selection[], values: string[]): string {
  const isThere = any(selections.map(({
    path,
    datatype
  }) => `coalesce(${document} @? '${path}${datatype === 'boolean' ? ' ? (@ == true)' : ''}', false)`))
  return any(values.map((value) => {
    if (value !== 'true' && value !== 'false') throw new FilterProblem('must be true or false')
    return value === 'true' ? isThere : `NOT ${isThere}`
  }))
}

/** https://hl7.org/fhir/R4/search.html#string: which texts of a name or an address are searched. */
const textElements: Readonly<Record<string, readonly string[]>> = {
  HumanName: ['text', 'family', 'given', 'prefix', 'suffix'],
  Address: ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'],
}

function toTexts ({ path, datatype }: Selection): string[] {
  const names = textElements[datatype]
  return names === undefined ? [path] : names.map((name) => `${path}."${name}"`)
}

/** Texts that begin with (or contain) any of the values, without regard to case and accents. */
function toTextCondition (document: string, path: string, values: string, isContains: boolean): string {
  const asked =
    `unnest((SELECT array_agg(fhir_bulk_export.fold(a.value)) FROM jsonb_array_elements_text(${values}) AS a (value))) AS q (value)`
  const fits = isContains
    ? 'position(q.value IN fhir_bulk_export.fold(v.x #>> \'{}\')) > 0'
    : "starts_with(fhir_bulk_export.fold(v.x #>> '{}'), q.value)"
  return `EXISTS (SELECT FROM jsonb_path_query(${document}, '${path}[*]') AS v (x), ${asked} WHERE ${fits})`
}
