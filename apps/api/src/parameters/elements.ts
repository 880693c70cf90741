import { isResourceType, isRootElement, resourceTypes } from '@fhir-bulk-export/core/r4'
import { quote } from '../http/quote.ts'
import type { Lenience } from './lenience.ts'

/**
 * `_elements`, each `element` or `Type.element` (Bulk Data 3.0.0, Query Parameters: only root elements). `id`, which every resource
 * has, replaces an ignored element: a list that got shorter must not mean "everything".
 */
export function selectElements (named: string[], lenience: Lenience): string[] {
  const elements = named.flatMap(function toKnown (element) {
    const [type, name] = split(element)
    if (type === undefined) {
      if (resourceTypes.some((known) => isRootElement(known, name))) return [element]
      lenience.refuseUnlessLenient(`_elements: ${quote(element)} is not a root element of any resource type`)
      return ['id']
    }
    if (isResourceType(type) && isRootElement(type, name)) return [element]
    const expected = isResourceType(type) ? `a root element of ${type}` : 'a resource type and an element'
    lenience.refuseUnlessLenient(`_elements: ${quote(element)} is not ${expected}`)
    return isResourceType(type) ? [`${type}.id`] : []
  })
  return elements.length === 0 ? ['id'] : [...new Set(elements)]
}

function split (element: string): [type: string | undefined, name: string] {
  const dot = element.indexOf('.')
  return dot === -1 ? [undefined, element] : [element.slice(0, dot), element.slice(dot + 1)]
}
