import { readFileSync } from 'node:fs'

/**
 * FHIR R4 (4.0.1) as r4.json has it, which is made of HL7's definitions (`make r4`). Everything here that depends on FHIR comes from there.
 * An element is a line `name min..max types [value set]`; backbone elements are types of their own, named by their path.
 */
interface R4 {
  version: string
  types: Record<string, { base?: string, kind?: 'resource', abstract?: boolean, elements: string[] }>
  codes: Record<string, string>
  compartment: Record<string, string[]>
}

const r4: R4 = JSON.parse(readFileSync(new URL('r4.json', import.meta.url), 'utf8'))

/** A datatype, a backbone element or a resource. */
export interface TypeNode {
  readonly name: string
  readonly isPrimitive: boolean
  readonly isResource: boolean
  /** All of them, inherited ones, each type of a choice (`valueString`) and `_name` of primitives among them. */
  readonly elements: readonly ElementNode[]
  readonly byName: ReadonlyMap<string, ElementNode>
  /** Of each group one has to be there; a primitive's `_name` counts for it. */
  readonly required: ReadonlyArray<{ readonly name: string, readonly indexes: readonly number[] }>
}

export interface ElementNode {
  readonly name: string
  /** Its place among the type's elements. */
  readonly index: number
  readonly type: TypeNode
  readonly isList: boolean
  /** The element as FHIR defines it: `deceased` for `deceasedBoolean` and `_deceasedBoolean`, `name` for itself. Of a choice only one may be there. */
  readonly base: string
  readonly isChoice: boolean
  /** `_name`: id and extensions of a primitive; the index of the primitive. */
  readonly extends: number | undefined
  /** From a required binding. */
  readonly codes: ReadonlySet<string> | undefined
  readonly isAttachmentUrl: boolean
}

const primitiveBases = new Set(Object.entries(r4.types).filter(([name]) => /^[a-z]/.test(name)).map(([name]) => name))
const codes = new Map(Object.entries(r4.codes).map(([name, list]) => [name, new Set(list.split(' '))]))
const nodes = new Map<string, TypeNode>()

/** The resource types that there are, by name. */
export const resourceTypes: readonly string[] = Object.entries(r4.types)
  .filter(([, { kind, abstract }]) => kind === 'resource' && abstract !== true).map(([name]) => name).sort()

const known = new Set(resourceTypes)

export function isResourceType (name: string): boolean {
  return known.has(name)
}

/** @throws Error for a name that R4 does not define. */
export function getType (name: string): TypeNode {
  return nodes.get(name) ?? buildType(name)
}

/** `Type.a.b`: what stands there, or undefined. */
export function findElement (type: string, path: string): ElementNode | undefined {
  let element: ElementNode | undefined
  for (const name of path.split('.')) {
    element = (element?.type ?? getType(type)).byName.get(name)
    if (element === undefined) return undefined
  }
  return element
}

/** The names of a resource's root elements as FHIR defines them: `deceased`, not `deceasedBoolean`. */
export function rootElements (type: string): ReadonlySet<string> {
  return new Set(getType(type).elements.map(({ base }) => base))
}

export function isRootElement (type: string, element: string): boolean {
  return getType(type).elements.some(({ base }) => base === element)
}

/** Without these a resource is not valid. */
export function mandatoryElements (type: string): ReadonlySet<string> {
  return new Set(getType(type).required.map(({ name }) => name))
}

/**
 * Paths of the elements by which a resource belongs to a patient's compartment, the defining ones first; undefined for a type outside of it
 * (https://hl7.org/fhir/R4/compartmentdefinition-patient.html).
 */
export function compartmentPaths (type: string): readonly string[] | undefined {
  return r4.compartment[type]
}

function buildType (name: string): TypeNode {
  const declared = r4.types[name]
  if (declared === undefined) throw new Error(`FHIR R4 defines no type ${name}`)
  const elements: ElementNode[] = []
  const required: Array<{ name: string, indexes: number[] }> = []
  const node: TypeNode = {
    name,
    isPrimitive: primitiveBases.has(name),
    isResource: declared.kind === 'resource',
    elements,
    byName: new Map(),
    required,
  }
  nodes.set(name, node) // before its elements, which may be of this type again
  if (!node.isPrimitive) for (const line of linesOf(name)) addElement(node, elements, required, line)
  const byName = node.byName as Map<string, ElementNode>
  for (const element of elements) byName.set(element.name, element)
  return node
}

function linesOf (name: string): string[] {
  const { base, elements } = r4.types[name] ?? { elements: [] }
  return base === undefined ? elements : [...linesOf(base), ...elements]
}

function addElement (owner: TypeNode, elements: ElementNode[], required: Array<{ name: string, indexes: number[] }>, line: string): void {
  const [declared = '', cardinality = '', types = '', valueSet] = line.split(' ')
  const [min, max] = cardinality.split('..')
  const isChoice = declared.endsWith('[x]')
  const base = isChoice ? declared.slice(0, -3) : declared
  const indexes: number[] = []
  for (const typeName of types.split('|')) {
    const name = isChoice ? `${base}${typeName.charAt(0).toUpperCase()}${typeName.slice(1)}` : base
    const isList = max !== '1'
    const index = elements.length
    const isPrimitive = primitiveBases.has(typeName)
    add({ name, typeName, isList, extendsIndex: undefined, codes: valueSet === undefined ? undefined : codes.get(valueSet) })
    if (isPrimitive) add({ name: `_${name}`, typeName: 'Element', isList, extendsIndex: index, codes: undefined })
  }
  if (min !== '0') required.push({ name: base, indexes })

  function add ({ name, typeName, isList, extendsIndex, codes }: { name: string, typeName: string, isList: boolean, extendsIndex: number | undefined, codes: ReadonlySet<string> | undefined }): void {
    const index = elements.length
    indexes.push(index)
    elements.push({
      name,
      index,
      type: getType(typeName),
      isList,
      base,
      isChoice,
      extends: extendsIndex,
      codes,
      isAttachmentUrl: owner.name === 'Attachment' && name === 'url',
    })
  }
}
