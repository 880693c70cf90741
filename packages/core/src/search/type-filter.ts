import { ServiceError } from '../errors.ts'
import { isResourceType } from '../r4/index.ts'
import { toCondition } from './condition.ts'
import { FilterProblem } from './filter-problem.ts'
import { isSearchParameter, searchParametersOf, type Criterion, type SearchParameter } from './parameters.ts'

/** `Type?criterion&criterion`: all of the criteria hold. */
export interface TypeFilter { type: string, criteria: Criterion[] }

/** Of all filters of an export together. A condition is a condition of the SQL, which PostgreSQL plans; its values are one bound text. */
export const typeFilterLimits = { conditions: 100, values: 500 } as const

/** @throws ServiceError INVALID_PARAMETER for more than an export may have. */
export function assertFewConditions (filters: readonly TypeFilter[]): void {
  const criteria = filters.flatMap((filter) => filter.criteria)
  assertFew('values', criteria.reduce((sum, { values }) => sum + values.length, 0))
  assertFew('conditions', criteria.length)
}

function assertFew (what: keyof typeof typeFilterLimits, count: number, where = '_typeFilter'): void {
  if (count > typeFilterLimits[what]) {
    throw new ServiceError('INVALID_PARAMETER', `${where} has ${count} ${what}: at most ${typeFilterLimits[what]} are accepted`)
  }
}

/** A comma may stand between two filters, or between two values in one: it is the former where a type and `?` follow. */
export function splitTypeFilters (text: string): string[] {
  return text.split(/,(?=\s*[A-Z][A-Za-z]*\?)/)
}

/**
 * One `_typeFilter` as it came out of the query string; a second escaping is undone here.
 * @throws ServiceError UNSUPPORTED_PARAMETER or INVALID_PARAMETER. The message names the parameter, never a value.
 */
export function parseTypeFilter (text: string): TypeFilter {
  const mark = text.indexOf('?')
  if (mark === -1) throw new ServiceError('INVALID_PARAMETER', '_typeFilter must be a search: Type?parameter=value')
  const type = text.slice(0, mark)
  if (!isResourceType(type)) throw new ServiceError('UNSUPPORTED_PARAMETER', '_typeFilter must be a search of a resource type of FHIR R4')
  const conditions = [...new Set(text.slice(mark + 1).split('&'))]
  assertFew('conditions', conditions.length)
  return { type, criteria: conditions.map((condition) => parseCriterion(type, condition)) }
}

function parseCriterion (type: string, condition: string): Criterion {
  const sign = condition.indexOf('=')
  const name = decode(type, sign === -1 ? condition : condition.slice(0, sign))
  if (name === '') throw new ServiceError('INVALID_PARAMETER', `_typeFilter ${type}? must have parameters: ${type}?parameter=value`)
  const colon = name.indexOf(':')
  const parameter = searchParametersOf(type).get(colon === -1 ? name : name.slice(0, colon))
  if (parameter === undefined) throw new ServiceError('UNSUPPORTED_PARAMETER', toUnsupported(type, name))
  return toCriterion(parameter, name, splitValues(decode(type, sign === -1 ? '' : condition.slice(sign + 1)), '_typeFilter'),
    `_typeFilter ${type}?${toSafeName(name)}`)
}

/**
 * A search as HTTP has it, `given` in its query or body: all of it holds.
 * @throws ServiceError UNSUPPORTED_PARAMETER or INVALID_PARAMETER, whose message names the parameter.
 */
export function parseSearch (
  type: string, parameters: ReadonlyMap<string, SearchParameter>, given: ReadonlyArray<{ name: string, value: string }>
): TypeFilter {
  assertFew('conditions', given.length, 'The search')
  const criteria = given.map(({ name, value }) => {
    const parameter = parameters.get(name.split(':', 1)[0] ?? '')
    if (parameter === undefined) {
      throw new ServiceError('UNSUPPORTED_PARAMETER',
      `The search parameter ${toSafeName(name)} is not supported: ${type} takes ${[...parameters.keys()].join(', ')}`)
    }
    return toCriterion(parameter, name, splitValues(value, 'The search'), toSafeName(name))
  })
  assertFew('values', criteria.reduce((sum, { values }) => sum + values.length, 0), 'The search')
  return { type, criteria }
}

function splitValues (text: string, where: string): string[] {
  const values = [...new Set(text.split(/(?<!\\),/))]
  assertFew('values', values.length, where)
  return values
}

/** `where` begins the sentence about what is wrong. */
function toCriterion (parameter: SearchParameter, name: string, values: string[], where: string): Criterion {
  const [, modifier] = name.split(/:(.*)/s)
  const criterion = { parameter, modifier, values }
  try {
    for (const value of values) {
      if (value === '') throw new FilterProblem('must not be empty')
      if (!value.isWellFormed() || /\p{Cc}/u.test(value)) throw new FilterProblem('must be text without control characters')
    }
    toCondition('', criterion, () => '', new Date()) // refuses a value that is wrong
  } catch (error) {
    if (!(error instanceof FilterProblem)) throw error
    throw new ServiceError(error.isUnsupported ? 'UNSUPPORTED_PARAMETER' : 'INVALID_PARAMETER', `${where} ${error.message}`)
  }
  return criterion
}

function toUnsupported (type: string, name: string): string {
  const [plain = ''] = name.split(/[:.]/)
  const shown = `${type}?${toSafeName(name)}`
  if (searchParametersOf(type).has(plain)) return `_typeFilter does not support chained parameters: ${shown}`
  if (isSearchParameter(type, plain)) return `_typeFilter does not support composite and special parameters: ${shown}`
  return `_typeFilter does not support ${shown}: R4 has no such search parameter for the type`
}

function toSafeName (name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_:.-]{0,63}$/.test(name) ? name : 'this parameter'
}

function decode (type: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ServiceError('INVALID_PARAMETER', `_typeFilter ${type}? has a percent sign that begins no escape`)
  }
}
