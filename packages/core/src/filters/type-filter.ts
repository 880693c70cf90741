import { ServiceError } from '../errors.ts'
import { isResourceType } from '../r4/index.ts'
import { FilterProblem } from './filter-problem.ts'
import { findSearchParameter, toSearchParameters } from './search-parameters.ts'

/** `Type?name=value,value&name=value`: all of the parameters hold, each with any of its values. */
export interface TypeFilter {
  type: string
  parameters: Array<{ name: string, values: string[] }>
}

/** Of all filters of an export together. A condition is a part of the SQL, which PostgreSQL plans; the values of most of them are one list. */
export const typeFilterLimits = { conditions: 100, values: 500 } as const

/** @throws ServiceError INVALID_PARAMETER for more than an export may have. */
export function assertFewConditions (filters: TypeFilter[]): void {
  const parameters = filters.flatMap(({ type, parameters }) => parameters.map(({ name, values }) => ({ values: values.length, isDate: findSearchParameter(type, name)?.type === 'date' })))
  assertFew('values', parameters.reduce((sum, { values }) => sum + values, 0))
  // Each value of a date is a range of its own.
  assertFew('conditions', parameters.reduce((sum, { values, isDate }) => sum + (isDate ? values : 1), 0))
}

function assertFew (what: keyof typeof typeFilterLimits, count: number): void {
  if (count > typeFilterLimits[what]) throw new ServiceError('INVALID_PARAMETER', `_typeFilter has ${count} ${what}: at most ${typeFilterLimits[what]} are accepted`)
}

/** A comma may stand between two filters, or between two values in one: it is the former where a type and `?` follow. */
export function splitTypeFilters (text: string): string[] {
  return text.split(/,(?=[A-Z][A-Za-z]*\?)/)
}

/**
 * One `_typeFilter` as it came out of the query string; what is escaped in it a second time is unescaped here.
 * @throws ServiceError UNSUPPORTED_PARAMETER or INVALID_PARAMETER. The message names the parameter, never a value.
 */
export function parseTypeFilter (text: string): TypeFilter {
  const mark = text.indexOf('?')
  if (mark === -1) throw new ServiceError('INVALID_PARAMETER', '_typeFilter must be a search: Type?parameter=value')
  const type = text.slice(0, mark)
  if (!isResourceType(type)) throw new ServiceError('UNSUPPORTED_PARAMETER', '_typeFilter must be a search of a resource type of FHIR R4')
  const parts = [...new Set(text.slice(mark + 1).split('&'))]
  assertFew('conditions', parts.length)
  const parameters = parts.map((part) => parseParameter(type, part))
  return { type, parameters }
}

function parseParameter (type: string, part: string): TypeFilter['parameters'][number] {
  const sign = part.indexOf('=')
  const name = decode(type, sign === -1 ? part : part.slice(0, sign))
  if (name === '') throw new ServiceError('INVALID_PARAMETER', `_typeFilter ${type}? must have parameters: ${type}?parameter=value`)
  const parameter = findSearchParameter(type, name)
  if (parameter === undefined) throw new ServiceError('UNSUPPORTED_PARAMETER', unsupported(type, name))
  const values = [...new Set(decode(type, sign === -1 ? '' : part.slice(sign + 1)).split(/(?<!\\),/))]
  assertFew('values', values.length)
  for (const value of values) {
    try {
      if (value === '') throw new FilterProblem('must not be empty')
      if (!value.isWellFormed() || /\p{Cc}/u.test(value)) throw new FilterProblem('must be text without control characters')
      parameter.match([value], { bind: () => '', mrnSystem: undefined })
    } catch (error) {
      if (!(error instanceof FilterProblem)) throw error
      throw new ServiceError(error.isUnsupported ? 'UNSUPPORTED_PARAMETER' : 'INVALID_PARAMETER', `_typeFilter ${type}?${name} ${error.message}`)
    }
  }
  return { name, values }
}

function unsupported (type: string, name: string): string {
  const [plain = ''] = name.split(/[:.]/)
  const isKnown = findSearchParameter(type, plain) !== undefined
  const shown = /^[A-Za-z_][A-Za-z0-9_:.-]{0,63}$/.test(name) ? name : 'this parameter'
  if (isKnown && name.includes(':')) return `_typeFilter does not support modifiers: ${type}?${shown}`
  if (isKnown) return `_typeFilter does not support chained parameters: ${type}?${shown}`
  return `_typeFilter does not support ${type}?${shown}, only ${toSearchParameters(type).map((parameter) => parameter.name).join(', ')}`
}

function decode (type: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ServiceError('INVALID_PARAMETER', `_typeFilter ${type}? has a percent sign that begins no escape`)
  }
}
