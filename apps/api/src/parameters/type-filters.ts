import { isServiceError } from '@fhir-bulk-export/core/errors'
import { assertFewConditions, parseTypeFilter, type TypeFilter } from '@fhir-bulk-export/core/search'
import type { Lenience } from './lenience.ts'

/**
 * `_typeFilter`, each `Type?parameter=value&…`. Several for one type are alternatives, so an ignored one selects nothing. A type whose
 * filters were all ignored is not exported: lenient never widens.
 */
export function selectTypeFilters (filters: string[], types: string[], lenience: Lenience): { filters: string[], types: string[] } {
  const filtered = new Set<string>()
  const ignored = new Set<string>()
  const parsed: TypeFilter[] = []
  const kept = filters.filter(function isKept (text) {
    const filter = parseUnlessIgnored(text, lenience)
    if (filter === undefined) {
      ignored.add(text.slice(0, text.indexOf('?')))
      return false
    }
    if (!types.includes(filter.type)) {
      lenience.refuseUnlessLenient(`_typeFilter: ${filter.type} is not among the types of this export`, 'INVALID_PARAMETER')
      return false
    }
    filtered.add(filter.type)
    parsed.push(filter)
    return true
  })
  assertFewConditions(parsed)
  return { filters: kept, types: types.filter((type) => filtered.has(type) || !ignored.has(type)) }
}

function parseUnlessIgnored (text: string, lenience: Lenience): TypeFilter | undefined {
  try {
    return parseTypeFilter(text)
  } catch (error) {
    if (!isServiceError(error, 'UNSUPPORTED_PARAMETER')) throw error
    lenience.refuseUnlessLenient(error.message)
    return undefined
  }
}
