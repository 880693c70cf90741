import { ServiceError } from '@fhir-bulk-export/core/errors'
import { groupSearchParameters, parseSearch, toFilterSql } from '@fhir-bulk-export/core/search'
import type { GroupFilter, Source } from '@fhir-bulk-export/core/source'

/** Groups of a page at most. */
const pageSize = 100
const special = ['_count', '_after'] as const

/** A query, or a form: a parameter that comes twice is a list. */
export type Given = Record<string, string | string[]>

export interface GroupSearch {
  /** The search itself, as the links to its pages repeat it. */
  criteria: Array<{ name: string, value: string }>
  /** Groups of a page; 0: only how many there are (http://hl7.org/fhir/R4/search.html#count). */
  count: number
  /** Of a page that is not the first: the id before it. Its address means nothing to a client (http://hl7.org/fhir/R4/http.html#paging). */
  after: string | undefined
}

/** @throws ServiceError INVALID_PARAMETER, UNSUPPORTED_PARAMETER */
export function parseGroupSearch (...given: Given[]): GroupSearch {
  const all = given.flatMap((part) => Object.entries(part).flatMap(([name, values]) => [values].flat().map((value) => ({ name, value }))))
  const [count, after] = special.map((name) => {
    const [value, ...others] = all.filter((one) => one.name === name)
    if (others.length > 0) throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} may be given once only`)
    return value?.value
  })
  if (count !== undefined && !/^[0-9]{1,9}$/.test(count)) throw new ServiceError('INVALID_PARAMETER', 'The parameter _count must be a whole number')
  if (after?.includes('\0') === true) throw new ServiceError('INVALID_PARAMETER', 'The address of the page is not one that a page before it gave')
  return { criteria: all.filter(({ name }) => !special.some((known) => known === name)), count: Math.min(Number(count ?? pageSize), pageSize), after }
}

/** Undefined: all groups. */
export function toGroupFilter (criteria: GroupSearch['criteria'], { relations }: Source): GroupFilter | undefined {
  if (criteria.length === 0) return undefined
  const { conditions, settings } = toFilterSql([parseSearch('Group', groupSearchParameters, criteria)], relations, { mrnSystem: undefined, now: new Date() })
  return { condition: conditions.Group ?? 'false', settings }
}
