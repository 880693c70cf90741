import { isServiceError } from '@fhir-bulk-export/core/errors'
import { assertFewConditions, parseTypeFilter, splitTypeFilters } from '@fhir-bulk-export/core/search'
import type { TypeFilter } from '@fhir-bulk-export/core/search'
import type { Refusal } from './refusal.ts'
import { toList } from './values.ts'

export interface TypeFilters {
  typeFilters: string[]
  /** Those of the export's types that are left: see below. */
  types: string[]
}

/**
 * `_typeFilter`, each `Type?parameter=value&…`. Several for one type are alternatives, so one that a lenient request must do
 * without selects nothing; a type of which no other is left is not exported: lenient never widens.
 */
export function parseTypeFilters (values: string[], types: string[], refusal: Refusal): TypeFilters {
  const filtered = new Set<string>()
  const unfulfilled = new Set<string>()
  const kept: TypeFilter[] = []
  const typeFilters = toList('_typeFilter', values, splitTypeFilters).filter(function keep (text) {
    const filter = findFilter(text, refusal)
    const type = filter?.type
    if (filter !== undefined && types.includes(filter.type)) {
      filtered.add(filter.type)
      kept.push(filter)
      return true
    }
    if (type !== undefined) refusal.refuse(`_typeFilter: ${type} is not among the types of this export`, 'INVALID_PARAMETER')
    else unfulfilled.add(text.slice(0, text.indexOf('?')))
    return false
  })
  assertFewConditions(kept)
  return { typeFilters, types: types.filter((type) => filtered.has(type) || !unfulfilled.has(type)) }
}

/** Undefined: a filter that is not supported, ignored. */
function findFilter (text: string, { refuse }: Refusal): TypeFilter | undefined {
  try {
    return parseTypeFilter(text)
  } catch (error) {
    if (!isServiceError(error, 'UNSUPPORTED_PARAMETER')) throw error
    refuse(error.message)
    return undefined
  }
}
