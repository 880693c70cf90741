import { isId } from '../resources/index.ts'
import { toDateRange } from './date-range.ts'
import { FilterProblem } from './filter-problem.ts'
import { toElements, toReference } from './references.ts'

/** What a search parameter's SQL is made with. */
export interface SqlContext {
  /** The SQL that stands for a value; for a list it is its JSON. The value itself never gets into the text. */
  bind: (value: string | unknown[]) => string
  /** Identifier.system of the column `mrn`, where there is one. */
  mrnSystem: string | undefined
}

/** SQL that is true for rows (alias `r`) with any of these values of a parameter. Throws FilterProblem for a value that is none. */
export type Match = (values: string[], context: SqlContext) => string

/** However many texts there are, they are one part of the plan, and looked up in a hash. */
function isIn (expression: string, texts: string[], { bind }: SqlContext): string {
  return texts.length === 0 ? 'false' : `${expression} IN (SELECT jsonb_array_elements_text(${bind(texts)}::jsonb))`
}

/** jsonb that contains any of these. Containment takes any shape that may stand there, and fails on none. */
function contains (expression: string, parts: unknown[], { bind }: SqlContext): string {
  return `${expression}::jsonb @> ANY (ARRAY(SELECT jsonb_array_elements(${bind(parts)}::jsonb)))`
}

/** For what cannot be one list: a condition a value. */
function eachValue (match: (value: string, context: SqlContext) => string): Match {
  return (values, context) => values.map((value) => match(value, context)).join(' OR ')
}

/** `[system]|[code]`, `[code]` or `[system]|` (https://hl7.org/fhir/R4/search.html#token), with FHIR's escapes undone. */
function readToken (value: string): { system?: string, code?: string } {
  const bar = /(?<!\\)\|/.exec(value)?.index
  const system = bar === undefined ? undefined : unescape(value.slice(0, bar))
  const code = unescape(bar === undefined ? value : value.slice(bar + 1))
  if (system === '') throw new FilterProblem('does not take a token without system ("|code")', true)
  if (code === '' && system === undefined) throw new FilterProblem('must not be empty')
  return { ...(system === undefined ? {} : { system }), ...(code === '' ? {} : { code }) }
}

function unescape (text: string): string {
  return text.replace(/\\([\\|,$])/g, '$1')
}

/** An expression that gives a code of a code system of its own, as in `gender`. */
export function codeMatch (expression: string, codeSystem: string): Match {
  return function matchCode (values, context) {
    const codes = values.map(readToken).filter(({ system }) => system === undefined || system === codeSystem).map(({ code }) => code)
    return codes.includes(undefined) ? `${expression} IS NOT NULL` : isIn(expression, codes.filter((code) => code !== undefined), context)
  }
}

export function booleanMatch (expression: string): Match {
  return eachValue(function matchBoolean (value) {
    if (value !== 'true' && value !== 'false') throw new FilterProblem('must be true or false')
    return `(${expression}) IS ${value.toUpperCase()}`
  })
}

/** jsonb: a CodeableConcept, or a list of them. */
export function conceptMatch (expression: string, isList: boolean): Match {
  return function matchConcept (values, context) {
    return contains(expression, values.map(readToken).map((coding) => ({ coding: [coding] })).map((concept) => isList ? [concept] : concept), context)
  }
}

/** jsonb: an Identifier, or a list of them. */
export function identifierMatch (expression: string, isList: boolean): Match {
  return function matchIdentifier (values, context) {
    const identifiers = values.map(readToken).map(({ system, code }) => ({ ...(system === undefined ? {} : { system }), ...(code === undefined ? {} : { value: code }) }))
    return contains(expression, identifiers.map((identifier) => isList ? [identifier] : identifier), context)
  }
}

/** The bare medical record number, which is exported as an identifier in MRN_SYSTEM. */
export const mrnMatch: Match = function matchMrn (values, context) {
  const codes = values.map(readToken).filter(({ system }) => system === undefined || system === context.mrnSystem).map(({ code }) => code)
  return codes.includes(undefined) ? "r.mrn <> ''" : isIn('r.mrn', codes.filter((code) => code !== undefined), context)
}

/** A type's own id, or what names a resource of one type: `id` and, with `type`, `Type/id`. */
export function idMatch (expression: string, type?: string): Match {
  return function matchId (values, context) {
    const ids = values.map(function toId (value) {
      const id = type !== undefined && value.startsWith(`${type}/`) ? value.slice(type.length + 1) : value
      if (!isId(id)) throw new FilterProblem(type === undefined ? 'must be an id' : `must be an id or ${type}/id`)
      return id
    })
    return isIn(`${expression}::text`, ids, context)
  }
}

/** jsonb: a list of References, of which the relative literal ones count, whatever version they name. */
export function referencesMatch (expression: string): Match {
  return function matchReferences (values, context) {
    for (const value of values) {
      const [id = '', type, ...rest] = value.split('/').reverse()
      if (!isId(id) || rest.length > 0 || (type !== undefined && !/^[A-Z][A-Za-z]+$/.test(type))) throw new FilterProblem('must be Type/id or an id')
    }
    const literal = isIn(toReference('t.value'), values.filter((value) => value.includes('/')), context)
    const ofAnyType = isIn(`split_part(${toReference('t.value')}, '/', 2)`, values.filter((value) => !value.includes('/')), context)
    return `EXISTS (SELECT FROM ${toElements(expression)} AS t (value) WHERE ${literal} OR ${ofAnyType})`
  }
}

/** A timestamptz: one instant. */
export function instantMatch (at: string): Match {
  return eachValue(function matchInstant (value, { bind }) {
    const { prefix, from, to } = toDateRange(value)
    const start = () => `${bind(from.toISOString())}::timestamptz`
    const end = () => `${bind(to.toISOString())}::timestamptz`
    switch (prefix) {
      case 'eq': return `(${at} >= ${start()} AND ${at} < ${end()})`
      case 'ne': return `(${at} < ${start()} OR ${at} >= ${end()})`
      case 'lt': return `${at} < ${start()}`
      case 'ge': return `${at} >= ${start()}`
      case 'gt': return `${at} >= ${end()}`
      case 'le': return `${at} < ${end()}`
    }
  })
}

/**
 * A date that may be partial, and then stands for all of its year or month: compared as text, by its first and its last day,
 * so that no text, whatever it holds, makes PostgreSQL fail (https://hl7.org/fhir/R4/search.html#date).
 */
export function dateMatch (text: string): Match {
  const first = toDay(text, '-01-01')
  const last = toDay(text, '-12-31')
  return eachValue(function matchDate (value, { bind }) {
    const { prefix, from, to, isDay } = toDateRange(value)
    if (!isDay) throw new FilterProblem('must be a date: YYYY, YYYY-MM or YYYY-MM-DD')
    const start = () => bind(from.toISOString().slice(0, 10))
    const end = () => bind(new Date(to.getTime() - 1).toISOString().slice(0, 10))
    const within = () => `(${first} >= ${start()} AND ${last} <= ${end()})`
    const isDate = `${text} ~ '^[0-9]{4}(-[0-9]{2}){0,2}$'`
    switch (prefix) {
      case 'eq': return `(${isDate} AND ${within()})`
      case 'ne': return `(${isDate} AND NOT ${within()})`
      case 'lt': return `(${isDate} AND ${first} < ${start()})`
      case 'gt': return `(${isDate} AND ${last} > ${end()})`
      case 'le': return `(${isDate} AND (${first} < ${start()} OR ${within()}))`
      case 'ge': return `(${isDate} AND (${last} > ${end()} OR ${within()}))`
    }
  })
}

/** The first or last day (for a month, `-31` will do) that a partial date stands for. In code points' order, whatever the database's is. */
function toDay (text: string, ending: '-01-01' | '-12-31'): string {
  const month = ending.slice(3)
  return `(CASE length(${text}) WHEN 4 THEN ${text} || '${ending}' WHEN 7 THEN ${text} || '${month}' ELSE ${text} END COLLATE "C")`
}

/** Any of several ways to have the value. */
export function anyOf (...matches: Match[]): Match {
  return function matchAny (values, context) {
    return `(${matches.map((match) => match(values, context)).join(' OR ')})`
  }
}
