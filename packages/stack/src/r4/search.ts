import type { CompartmentDefinition, SearchParameter } from 'fhir/r4.js'

/** By type and code: `<type> <FHIRPath expression>`. Those without an expression (_text, _content, _query) are not there. */
export function toSearch (parameters: readonly SearchParameter[]): Record<string, Record<string, string>> {
  const search: Record<string, Record<string, string>> = {}
  for (const parameter of parameters.filter(({ expression }) => expression !== undefined)) {
    for (const base of parameter.base) {
      const own = search[base] ??= {}
      if (own[parameter.code] !== undefined) throw new Error(`${base} has two parameters ${parameter.code}`)
      own[parameter.code] = `${parameter.type} ${alternativesOf(parameter, base).join(' | ')}`
    }
  }
  return sorted(Object.entries(search).map(([base, own]) => [base, sorted(Object.entries(own))]))
}

/** By type, in the order of the compartment's definition: the paths of references that put a resource into a patient's compartment. */
export function toCompartment (compartment: CompartmentDefinition, parameters: readonly SearchParameter[]): Record<string, string[]> {
  const paths = (compartment.resource ?? []).flatMap(function toPaths ({ code: type, param = [] }): Array<[string, string[]]> {
    const own = param.map(code => parameters.find(parameter => parameter.code === code && parameter.base.includes(type)))
    const found = own.flatMap(function pathsOf (parameter) {
      if (parameter === undefined) throw new Error(`${type} has not all parameters of the compartment`)
      if (!parameter.target?.includes('Patient')) return []
      return alternativesOf(parameter, type).map(alternative => toPath(alternative, type))
    })
    return found.length === 0 ? [] : [[type, [...new Set(found)]]]
  })
  return sorted(paths)
}

/** An expression is the union of those for all types of the parameter: each type gets its own. */
function alternativesOf ({ code, expression = '', base }: SearchParameter, type: string): string[] {
  const all = splitUnion(expression)
  const own = all.filter(alternative => rootOf(alternative) === type)
  if (own.length > 0) return own
  // InsurancePlan.name is written `name | alias`
  if (base.length !== 1 || !all.every(alternative => /^[a-z]/.test(alternative))) {
    throw new Error(`${type}.${code}: ${expression} says nothing of the type`)
  }
  return all.map(alternative => `${type}.${alternative}`)
}

function rootOf (expression: string): string | undefined {
  return /^\(*([A-Za-z]+)/.exec(expression)?.[1]
}

/** Cuts at `|` outside of parentheses and strings. */
function splitUnion (expression: string): string[] {
  const parts = ['']
  let depth = 0
  for (const [token] of expression.matchAll(/'[^']*'|[()|]|[^'()|]+/g)) {
    if (token === '(') depth++
    if (token === ')') depth--
    if (token === '|' && depth === 0) parts.push('')
    else parts[parts.length - 1] += token
  }
  return parts.map(part => part.replace(/\s+/g, ' ').trim())
}

/** `Task.for.where(resolve() is Patient)` → `for` */
function toPath (expression: string, type: string): string {
  const path = expression.replace(/\.where\(resolve\(\) is Patient\)$/, '').slice(type.length + 1)
  if (!/^[a-zA-Z]+(?:\.[a-zA-Z]+)*$/.test(path)) throw new Error(`${expression} is no path`)
  return path
}

function sorted<T> (entries: Array<[string, T]>): Record<string, T> {
  return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1))
}
