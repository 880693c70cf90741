import { readFileSync } from 'node:fs'
import { Memos } from './memo.ts'
import type { Followers } from './followers.ts'
import { Literal } from './literal.ts'
import { Names } from './names.ts'
import { Shapes } from './shapes.ts'
import { primitives, type CopyPrimitive } from './primitives.ts'

/**
 * FHIR R4 (4.0.1) as r4.json has it, which is made of HL7's definitions (`make r4`). Everything here that depends on FHIR comes from there.
 * An element is a line `name min..max types [value set]`; backbone elements are types of their own, named by their path.
 */
interface R4 {
  version: string
  types: Record<string, { base?: string, kind?: 'resource', abstract?: boolean, elements: string[] }>
  codes: Record<string, string>
  systems: Record<string, string>
  compartment: Record<string, string[]>
  search: Record<string, Record<string, string>>
}

const r4: R4 = JSON.parse(readFileSync(new URL('r4.json', import.meta.url), 'utf8'))

/** A datatype, a backbone element or a resource. */
export interface TypeNode {
  readonly name: string
  /** `"Name"` */
  readonly quotedName: Literal
  /** `"resourceType":"Name"`, where it is written in front of all elements and not where it stands. */
  readonly prefix: Literal | undefined
  readonly isPrimitive: boolean
  readonly copyPrimitive: CopyPrimitive | undefined
  readonly isResource: boolean
  /** All of them, inherited ones, each type of a choice (`valueString`) and `_name` of primitives among them. */
  readonly elements: readonly ElementNode[]
  /** Their names, in the same order. */
  readonly names: Names
  /** Of each group one has to be there; a primitive's `_name` counts for it. */
  readonly required: ReadonlyArray<{ readonly name: string, readonly indexes: readonly number[] }>
  /** Of each only one may be there; `value`: what a member and its `_member` have in common. */
  readonly choices: ReadonlyArray<{ readonly base: string, readonly members: ReadonlyArray<{ index: number, value: number }> }>
  /** Index of the element `id`, or -1. */
  readonly idIndex: number
  /** By the place in an object that they follow (next-element.ts); most types are never met. */
  readonly followers: Array<Followers<ElementNode>>
  /** Of objects in JSON, and of those in columns, where what is empty is left out. */
  readonly shapes: readonly [Shapes<ElementNode>, Shapes<ElementNode>]
}

export interface ElementNode {
  readonly name: string
  /** `"name":` */
  readonly key: Literal
  /** Its place among the type's elements. */
  readonly index: number
  readonly type: TypeNode
  readonly isList: boolean
  /** The element as FHIR defines it: `deceased` for `deceasedBoolean` and `_deceasedBoolean`, `name` for itself. */
  readonly base: string
  readonly isChoice: boolean
  /** `_name`: id and extensions of a primitive; the index of the primitive. */
  readonly extends: number | undefined
  /** From a required binding. */
  readonly codes: Names | undefined
  /** The code systems of these. */
  readonly systems: readonly string[]
  readonly isAttachmentUrl: boolean
  /** Of complex types. */
  readonly memos: Memos | undefined
}

const codes = new Map(Object.entries(r4.codes).map(([name, list]) => [name, new Names([...new Set(list.split(' '))])]))
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
    element = (element?.type ?? getType(type)).elements.find((known) => known.name === name)
    if (element === undefined) return undefined
  }
  return element
}

/**
 * What stands at a path from an object of the type.
 * @throws Error for a path that R4 does not define.
 */
export function getElement (type: TypeNode, path: string): ElementNode {
  const [name, ...rest] = path.split('.')
  const element = type.elements.find((known) => known.name === name)
  if (element === undefined) throw new Error(`FHIR R4 defines no ${type.name}.${path}`)
  return rest.length === 0 ? element : getElement(element.type, rest.join('.'))
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

/** R4's search parameters of a type, those of all types among them: name → kind (`token`, `date`, …) and FHIRPath expression. */
export function searchExpressions (type: string): ReadonlyMap<string, { kind: string, expression: string }> {
  const { base } = r4.types[type] ?? {}
  const own = Object.entries(r4.search[type] ?? {}).map(([name, text]) => {
    const blank = text.indexOf(' ')
    return [name, { kind: text.slice(0, blank), expression: text.slice(blank + 1) }] as const
  })
  return new Map([...(base === undefined ? [] : searchExpressions(base)), ...own])
}

/** While a type is built, its elements may already point to it. */
type Building = { -readonly [K in keyof TypeNode]: TypeNode[K] }

function buildType (name: string): TypeNode {
  const declared = r4.types[name]
  if (declared === undefined) throw new Error(`FHIR R4 defines no type ${name}`)
  const node: Building = {
    name,
    quotedName: new Literal(Buffer.from(`"${name}"`)),
    prefix: undefined,
    isPrimitive: name in primitives,
    copyPrimitive: primitives[name],
    isResource: declared.kind === 'resource',
    elements: [],
    names: new Names([]),
    required: [],
    choices: [],
    idIndex: -1,
    followers: [],
    shapes: [new Shapes(), new Shapes()],
  }
  nodes.set(name, node)
  if (node.isPrimitive) return node
  const lines = linesOf(name).map(readLine)
  const elements = lines.flatMap((line) => line.names.flatMap(([element, type]) => {
    const own = { ...line, name: element, type, isExtension: false }
    return type in primitives ? [own, { ...line, name: `_${element}`, type: 'Element', isExtension: true }] : [own]
  }))
  node.elements = elements.map(({ name: element, type, isList, base, isChoice, isExtension, valueSet }, index) => ({
    name: element,
    key: new Literal(Buffer.from(`"${element}":`)),
    index,
    type: getType(type),
    isList,
    base,
    isChoice,
    extends: isExtension ? index - 1 : undefined,
    codes: isExtension || valueSet === undefined ? undefined : codes.get(valueSet),
    systems: isExtension || valueSet === undefined ? [] : (r4.systems[valueSet] ?? '').split(' '),
    isAttachmentUrl: name === 'Attachment' && element === 'url',
    memos: type in primitives || isExtension ? undefined : new Memos(),
  }))
  node.names = new Names(node.elements.map((element) => element.name))
  const membersOf = (base: string) => node.elements.filter((element) => element.base === base)
  node.required = lines.filter(({ isRequired }) => isRequired)
    .map(({ base }) => ({ name: base, indexes: membersOf(base).map(({ index }) => index) }))
  node.choices = lines.filter(({ isChoice }) => isChoice)
    .map(({ base }) => ({
      base, members: membersOf(base).map((member) => ({ index: member.index, value: member.extends ?? member.index })),
    }))
  node.idIndex = node.elements.findIndex((element) => element.name === 'id')
  return node
}

/** Inherited elements first. */
function linesOf (name: string): string[] {
  const { base, elements } = r4.types[name] ?? { elements: [] }
  return base === undefined ? elements : [...linesOf(base), ...elements]
}

/** `name min..max type|type [value set]`; each type of a choice makes a name. */
function readLine (line: string) {
  const [declared = '', cardinality = '', types = '', valueSet] = line.split(' ')
  const [min, max] = cardinality.split('..')
  const isChoice = declared.endsWith('[x]')
  const base = isChoice ? declared.slice(0, -3) : declared
  const names = types.split('|').map((type) => [isChoice ? `${base}${type.charAt(0).toUpperCase()}${type.slice(1)}` : base, type] as const)
  return { base, isChoice, isList: max !== '1', isRequired: min !== '0', names, valueSet }
}
