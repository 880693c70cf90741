import { isResourceType, isRootElement, resourceTypes } from '@fhir-bulk-export/core/r4'
import { quote } from '../../../http/quote.ts'
import type { Refusal } from './refusal.ts'
import { toList } from './values.ts'

/**
 * `_elements`, each `element` or `Type.element` (Bulk Data 3.0.0, Query Parameters: only root elements). What a lenient request
 * must do without is replaced by the id, which every resource has: a list that got shorter must not mean "everything".
 */
export function parseElements (values: string[], { refuse }: Refusal): string[] {
  if (values.length === 0) return []
  const elements = toList('_elements', values).flatMap(function toKnown (element) {
    const [type, name] = split(element)
    if (type === undefined) {
      if (resourceTypes.some((known) => isRootElement(known, name))) return [element]
      refuse(`_elements: ${quote(element)} is not a root element of any resource type`)
      return ['id']
    }
    if (isResourceType(type) && isRootElement(type, name)) return [element]
    refuse(`_elements: ${quote(element)} is not ${isResourceType(type) ? `a root element of ${type}` : 'a resource type and an element'}`)
    return isResourceType(type) ? [`${type}.id`] : []
  })
  return elements.length === 0 ? ['id'] : [...new Set(elements)]
}

function split (element: string): [type: string | undefined, name: string] {
  const dot = element.indexOf('.')
  return dot === -1 ? [undefined, element] : [element.slice(0, dot), element.slice(dot + 1)]
}
