import { FilterProblem } from './filter-problem.ts'
import type { Selection } from './selection.ts'
import { readNumber, readQuantity, readToken, unescape, type NumberRange, type Prefix, type QuantityRange } from './values.ts'

/**
 * What a value demands of the element that a selection leads to, as a filter of SQL/JSON path with `@` as the element (PostgreSQL manual,
 * The SQL/JSON Path Language); undefined where nothing can match. The text is a value that is bound, never part of a statement; in it texts
 * are JSON strings and numbers have been read.
 */
export type ToFilter = (value: string, selection: Selection) => string | undefined

/** The path to the values that are compared. */
export function toPath ({ path, datatype }: Selection, modifier: string | undefined): string {
  if (datatype === 'CodeableConcept') return `${path}."coding"`
  if (datatype === 'Reference') return modifier === 'identifier' ? `${path}."identifier"` : `${path}."reference"`
  return path
}

const text = JSON.stringify

/** https://hl7.org/fhir/R4/search.html#token */
export const tokenFilter: ToFilter = function toTokenFilter (value, { datatype, systems }) {
  const { system, code } = readToken(value)
  switch (datatype) {
    case 'Coding':
    case 'CodeableConcept': return toPair('code')
    case 'Identifier':
    case 'Reference': // its identifier
    case 'ContactPoint': return toPair('value')
    case 'boolean': {
      if (code !== 'true' && code !== 'false') throw new FilterProblem('must be true or false')
      return `@ == ${code}`
    }
    case 'code': {
      if (system !== undefined && !systems.includes(system)) return undefined
      return code === undefined ? '@ != ""' : `@ == ${text(code)}`
    }
    default: return code === undefined || (system !== undefined && system !== '') ? undefined : `@ == ${text(code)}`
  }

  function toPair (name: string): string {
    const codes = code === undefined ? [] : [`@.${text(name)} == ${text(code)}`]
    if (system === undefined) return codes.join('')
    return [system === '' ? '!exists(@."system")' : `@."system" == ${text(system)}`, ...codes].join(' && ')
  }
}

const literal = /^(?:([A-Z][A-Za-z]+)\/)?([A-Za-z0-9.-]{1,64})$/

/** `Type/id`, `id` or an absolute URL; of any version (https://hl7.org/fhir/R4/search.html#reference). */
export function referenceFilter (modifierType: string | undefined): ToFilter {
  return function toReferenceFilter (value, { datatype, target = modifierType }) {
    const reference = unescape(value)
    if (datatype !== 'Reference') return canonical(reference)
    const match = literal.exec(reference)
    if (match === null) {
      if (!/^[a-z][a-z0-9+.-]*:\S+$/i.test(reference)) throw new FilterProblem('must be Type/id, an id or an absolute URL')
      const isOfType = target === undefined || reference.startsWith('urn:') || reference.includes(`/${target}/`)
      return isOfType ? withVersions(reference) : undefined
    }
    const [, type = target, id = ''] = match
    if (target !== undefined && type !== target) return undefined
    if (type !== undefined) return withVersions(`${type}/${id}`)
    return `@ like_regex ${text(`^[A-Z][A-Za-z]+/${id.replaceAll('.', '[.]')}(/_history/.*)?$`)}`
  }
}

function withVersions (reference: string): string {
  return `@ == ${text(reference)} || @ starts with ${text(`${reference}/_history/`)}`
}

/** A canonical URL without a version stands for all of them. */
function canonical (url: string): string {
  return url.includes('|') ? `@ == ${text(url)}` : `@ == ${text(url)} || @ starts with ${text(`${url}|`)}`
}

export const uriFilter: ToFilter = function toUriFilter (value, { datatype }) {
  const uri = unescape(value)
  return datatype === 'canonical' ? canonical(uri) : `@ == ${text(uri)}`
}

export const exactFilter: ToFilter = function toExactFilter (value) {
  return `@ == ${text(unescape(value))}`
}

export const numberFilter: ToFilter = function toNumberFilter (value, { datatype }) {
  return datatype === 'Range' ? compareRange(readNumber(value)) : compare('@', readNumber(value))
}

/** https://hl7.org/fhir/R4/search.html#quantity */
export const quantityFilter: ToFilter = function toQuantityFilter (value, { datatype }) {
  const quantity = readQuantity(value)
  const isRange = datatype === 'Range'
  const amount = isRange ? compareRange(quantity) : compare('@."value"', quantity)
  const unit = datatype === 'Money' ? toCurrency(quantity) : toUnit(quantity, isRange ? '@.**{1}' : '@')
  return unit === undefined ? undefined : [`(${amount})`, ...unit].join(' && ')
}

/** Without a system the code may be the unit's name as well. */
function toUnit ({ system, code }: QuantityRange, path: string): string[] {
  if (system === undefined) return code === undefined ? [] : [`(${path}."code" == ${text(code)} || ${path}."unit" == ${text(code)})`]
  return [`${path}."system" == ${text(system)}`, ...(code === undefined ? [] : [`${path}."code" == ${text(code)}`])]
}

function toCurrency ({ system, code }: QuantityRange): string[] | undefined {
  if (system !== undefined && system !== 'urn:iso:std:iso:4217') return undefined
  return code === undefined ? [] : [`@."currency" == ${text(code)}`]
}

const comparisons: Readonly<Record<Prefix, (path: string, range: NumberRange) => string>> = {
  eq: (path, { from, to }) => `${path} >= ${from} && ${path} < ${to}`,
  ne: (path, { from, to }) => `${path} < ${from} || ${path} >= ${to}`,
  ap: (path, { from, to }) => `${path} >= ${from} && ${path} <= ${to}`,
  gt: (path, { value }) => `${path} > ${value}`,
  sa: (path, { value }) => `${path} > ${value}`,
  lt: (path, { value }) => `${path} < ${value}`,
  eb: (path, { value }) => `${path} < ${value}`,
  ge: (path, { value }) => `${path} >= ${value}`,
  le: (path, { value }) => `${path} <= ${value}`,
}

function compare (path: string, range: NumberRange): string {
  return comparisons[range.prefix](path, range)
}

const low = '@."low"."value"'
const high = '@."high"."value"'

/** A Range without an end is open there. */
const rangeComparisons: Readonly<Record<Prefix, (range: NumberRange) => string>> = {
  eq: ({ from, to }) => `${low} >= ${from} && ${high} < ${to}`,
  ne: ({ from, to }) => `!(${low} >= ${from} && ${high} < ${to})`,
  ap: ({ from, to }) => `(${low} <= ${to} || !exists(${low})) && (${high} >= ${from} || !exists(${high}))`,
  gt: ({ value }) => `${high} > ${value} || !exists(${high})`,
  lt: ({ value }) => `${low} < ${value} || !exists(${low})`,
  ge: ({ value }) => `${high} >= ${value} || !exists(${high})`,
  le: ({ value }) => `${low} <= ${value} || !exists(${low})`,
  sa: ({ value }) => `${low} > ${value}`,
  eb: ({ value }) => `${high} < ${value}`,
}

function compareRange (range: NumberRange): string {
  return rangeComparisons[range.prefix](range)
}
