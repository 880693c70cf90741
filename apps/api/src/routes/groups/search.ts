import { ServiceError } from '@fhir-bulk-export/core/errors'
import { groupSearchParameters, parseSearch, toFilterSql } from '@fhir-bulk-export/core/search'
import type { GroupFilter, Source } from '@fhir-bulk-export/core/source'

/** The default and the maximum of `_count`. */
const pageSize = 100
const special = ['_count', '_after'] as const

/** Of a query or a form. A parameter that comes twice is a list. */
export type SearchParameters = Record<string, string | string[]>

export interface GroupSearch {
  /** Without paging: the links to pages repeat it. */
  criteria: Array<{ name: string, value: string }>
  /** Groups of a page; 0: only how many there are (http://hl7.org/fhir/R4/search.html#count). */
  count: number
  /** The id before a page that is not the first; in its address alone (http://hl7.org/fhir/R4/http.html#paging). */
  after: string | undefined
}

/** @throws ServiceError INVALID_PARAMETER, UNSUPPORTED_PARAMETER */
export function parseGroupSearch (...sent: SearchParameters[]): GroupSearch {
  const all = sent.flatMap((parameters) => Object.entries(parameters))
    .flatMap(([name, values]) => [values].flat().map((value) => ({ name, value })))
  const [count, after] = special.map((name) => {
    const [value, ...others] = all.filter((one) => one.name === name)
    if (others.length > 0) throw new ServiceError('INVALID_PARAMETER', `The parameter ${name} may be given once only`)
    return value?.value
  })
  if (count !== undefined && !/^[0-9]{1,9}$/.test(count)) {
    throw new ServiceError('INVALID_PARAMETER', 'The parameter _count must be a whole number')
  }
  if (after?.includes('\0') === true) {
    throw new ServiceError('INVALID_PARAMETER', 'The address of the page is not one that a page before it gave')
  }
  return {
    criteria: all.filter(({ name }) => !special.some((known) => known === name)), count: Math.min(Number(count ?? pageSize), pageSize),
    after,
  }
}

/** Undefined: all groups. */
export function toGroupFilter (criteria: GroupSearch['criteria'], { relations }: Source): GroupFilter | undefined {
  if (criteria.length === 0) return undefined
  const { conditions, settings } = toFilterSql([parseSearch('Group', groupSearchParameters, criteria)], relations, {
    mrnSystem: undefined, now: new Date(),
  })
  return { condition: conditions.Group ?? 'false', settings }
}
