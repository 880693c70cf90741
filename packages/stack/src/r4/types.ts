import type { ElementDefinition, StructureDefinition } from 'fhir/r4.js'
import { asInR4, elementsInR4, notInR4 } from './corrections.ts'

export interface R4Type {
  base?: string | undefined
  kind?: 'resource'
  abstract?: true
  /** `name min..max type|type [value set]`: own elements only, in FHIR's order */
  elements: string[]
}

/** Datatypes, resources, and what stands below their elements under the path of those. */
export function toTypes (structures: readonly StructureDefinition[]): Record<string, R4Type> {
  const types: Record<string, R4Type> = {}
  for (const structure of structures.filter(isType)) {
    const [root, ...elements] = structure.snapshot?.element ?? []
    if (root === undefined) throw new Error(`${structure.name} has no snapshot`)
    types[root.path] = {
      base: lastSegment(structure.baseDefinition),
      ...structure.kind === 'resource' && { kind: 'resource' },
      ...structure.abstract && { abstract: true },
      elements: [],
    }
    if (structure.kind === 'primitive-type') continue // what they have is id, extension, and the value itself
    const parents = new Set(elements.map(element => parentOf(element.path)))
    for (const element of elements.filter(isOwn)) {
      if (parents.has(element.path)) types[element.path] = { base: onlyType(element), elements: [] }
      types[parentOf(element.path)]?.elements.push(toLine(element, parents.has(element.path)))
    }
  }
  correct(types)
  return types
}

/** Profiles on types (SimpleQuantity) and logical models are none. */
function isType (structure: StructureDefinition): boolean {
  return structure.derivation !== 'constraint' && structure.kind !== 'logical'
}

function isOwn (element: ElementDefinition): boolean {
  return element.base?.path === element.path
}

function toLine (element: ElementDefinition, hasChildren: boolean): string {
  const name = element.path.slice(parentOf(element.path).length + 1)
  const words = [name, `${element.min}..${element.max}`, hasChildren ? element.path : typesOf(element).join('|')]
  const { strength, valueSet } = element.binding ?? {}
  if (strength === 'required' && words[2] === 'code') words.push(lastSegment(valueSet) ?? '')
  return words.join(' ')
}

function typesOf (element: ElementDefinition): string[] {
  if (element.path === 'Resource.id') return ['id'] // R4 writes string, and means https://hl7.org/fhir/R4/resource.html#id
  if (element.contentReference !== undefined) return [element.contentReference.slice(1)]
  const types = element.type ?? []
  if (types.length === 0) throw new Error(`${element.path} has no type`)
  return types.map(type => type.extension?.find(extension => extension.url.endsWith(
    '/structuredefinition-fhir-type'
  ))?.valueUrl ?? type.code)
}

function onlyType (element: ElementDefinition): string {
  const [type, ...others] = typesOf(element)
  if (type === undefined || others.length > 0) throw new Error(`${element.path} has elements, and not one type`)
  return type
}

function correct (types: Record<string, R4Type>): void {
  for (const path of notInR4) {
    replace(types, path, [])
    removeBelow(types, path)
    delete types[path]
  }
  for (const [path, line] of Object.entries(asInR4)) replace(types, path, [line])
  for (const [path, elements] of Object.entries(elementsInR4)) {
    removeBelow(types, path)
    types[path]?.elements.splice(0, Infinity, ...elements)
  }
}

/** Throws where there is nothing to correct: then the definitions have become better, and the correction can go. */
function replace (types: Record<string, R4Type>, path: string, lines: string[]): void {
  const elements = types[parentOf(path)]?.elements ?? []
  const index = elements.findIndex(line => line.startsWith(`${path.slice(parentOf(path).length + 1)} `))
  if (index === -1 || elements[index] === lines[0]) throw new Error(`${path} needs no correction`)
  elements.splice(index, 1, ...lines)
}

function removeBelow (types: Record<string, R4Type>, path: string): void {
  for (const name of Object.keys(types)) if (name.startsWith(`${path}.`)) delete types[name]
}

function parentOf (path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('.'), 0))
}

/** `http://hl7.org/fhir/ValueSet/link-type|4.0.1` → `link-type` */
function lastSegment (url: string | undefined): string | undefined {
  return url?.split('|')[0]?.split('/').at(-1)
}
