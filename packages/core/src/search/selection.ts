import { getType, type ElementNode, type TypeNode } from '../r4/index.ts'

/** Where a search parameter looks: a path of a resource's JSON to values of one datatype. */
export interface Selection {
  /** SQL/JSON path in lax mode, which goes through arrays by itself (PostgreSQL manual, The SQL/JSON Path Language). */
  path: string
  datatype: string
  /** The element in the resource that the path begins with, as FHIR defines it: `value` for `valueQuantity`. */
  root: string
  /** The code systems of a code that stands alone. */
  systems: readonly string[]
  /** Only references to this type count. */
  target: string | undefined
  /** The value is not the element's: it is whether there is one that is not false. */
  isPresence: boolean
}

/**
 * The selections of a search parameter's FHIRPath expression, as far as it is a path: names, `.ofType(X)`, `.where(name='x')`,
 * `.where(resolve() is X)`, `[n]`, alternatives joined by `|`, and `a.exists() and a != false`
 * (https://hl7.org/fhir/R4/searchparameter-registry.html). Undefined for any other.
 */
export function toSelections (type: string, expression: string): Selection[] | undefined {
  const selections: Selection[] = []
  for (const part of expression.split(' | ')) {
    const found = toAlternative(type, part)
    if (found === undefined) return undefined
    selections.push(...found)
  }
  return selections
}

function toAlternative (type: string, part: string): Selection[] | undefined {
  const presence = /^([\w.]+)\.exists\(\) and \1 != false$/.exec(part)?.[1]
  const steps = (presence ?? part).replace(/^\((.*)\)(\.\w+)?$/, '$1$2').match(/\w+\([^()]*(?:\(\)[^()]*)?\)|\w+|\[\d+\]/g) ?? []
  let at: PathNode[] = [{ path: '$', type: getType(type), root: '', systems: [], target: undefined }]
  for (const [i, step] of steps.entries()) {
    if (i === 0) continue // the type's own name
    const next = follow(at, step)
    if (next === undefined) return undefined
    at = next
  }
  return at.map(({ type: { name }, ...node }) => ({ ...node, datatype: name, isPresence: presence !== undefined }))
}

type PathNode = Pick<Selection, 'path' | 'root' | 'systems' | 'target'> & { type: TypeNode }

function follow (nodes: PathNode[], step: string): PathNode[] | undefined {
  const [, ofType] = /^ofType\((\w+)\)$/.exec(step) ?? []
  if (ofType !== undefined) return nodes.filter(({ type }) => type.name === ofType)
  const [, target] = /^where\(resolve\(\) is (\w+)\)$/.exec(step) ?? []
  if (target !== undefined) return nodes.map((node) => ({ ...node, target }))
  const [, name, value] = /^where\((\w+)='([\w-]+)'\)$/.exec(step) ?? []
  if (name !== undefined) return nodes.map((node) => ({ ...node, path: `${node.path} ? (@."${name}" == "${value}")` }))
  if (/^\[\d+\]$/.test(step)) return nodes.map((node) => ({ ...node, path: `${node.path}${step}` }))
  if (!/^\w+$/.test(step)) return undefined
  return nodes.flatMap((node) => node.type.elements.filter(({ base, extends: extended }) => base === step && extended === undefined)
    .map((element) => toChild(node, element)))
}

function toChild ({ path, root }: PathNode, element: ElementNode): PathNode {
  return {
    path: `${path}."${element.name}"`, root: root === '' ? element.base : root, type: element.type, systems: element.systems,
    target: undefined
  }
}
