import type { CodeSystem, CodeSystemConcept, ValueSet, ValueSetComposeInclude } from 'fhir/r4.js'
import type { R4Type } from './types.ts'

interface Terminology { valueSets: Map<string, ValueSet>, codeSystems: Map<string, CodeSystem> }

export interface Codes {
  codes: Record<string, string>
  /** The code systems that a set's codes are of: what a code that stands alone means. */
  systems: Record<string, string>
  /** Why a set cannot be listed. */
  leftOut: Map<string, string>
}

/** The codes of every value set that an element requires; takes the words of sets that cannot be listed off the elements. */
export function toCodes (types: Record<string, R4Type>, terminology: Terminology): Codes {
  const sets = new Map([...terminology.valueSets.values()].map(set => [set.url?.split('/').at(-1) ?? '', set]))
  const required = new Set(Object.values(types).flatMap(({ elements }) => elements.flatMap(line => line.split(' ')[3] ?? [])))
  const codes: Record<string, string> = {}
  const systems: Record<string, string> = {}
  const leftOut = new Map<string, string>()
  for (const name of [...required].sort()) {
    const found = listCodes(sets.get(name), terminology)
    if (typeof found === 'string') {
      leftOut.set(name, found)
    } else {
      codes[name] = [...new Set(found)].join(' ')
      systems[name] = [...new Set(systemsOf(sets.get(name), terminology))].join(' ')
    }
  }
  for (const type of Object.values(types)) {
    type.elements = type.elements.map(line => leftOut.has(line.split(' ')[3] ?? '') ? line.split(' ', 3).join(' ') : line)
  }
  return { codes, systems, leftOut }
}

function systemsOf (set: ValueSet | undefined, terminology: Terminology): string[] {
  return (set?.compose?.include ?? []).flatMap(({ system, valueSet = [] }) => [
    ...(system === undefined ? [] : [system]),
    ...valueSet.flatMap(url => systemsOf(terminology.valueSets.get(url.split('|')[0] ?? ''), terminology)),
  ])
}

/** Codes in the order of their definition, or the reason why there are none. */
function listCodes (set: ValueSet | undefined, terminology: Terminology): string[] | string {
  if (set?.compose === undefined) return 'is not in the definitions, or has no compose'
  if (set.compose.exclude !== undefined) return 'excludes some'
  const codes: string[] = []
  for (const part of set.compose.include) {
    const found = codesOf(part, terminology)
    if (typeof found === 'string') return found
    codes.push(...found)
  }
  const odd = codes.find(code => /\s/.test(code))
  return odd === undefined ? codes : `has a code with a blank: ${odd}`
}

function codesOf (part: ValueSetComposeInclude, { codeSystems, ...terminology }: Terminology): string[] | string {
  if (part.filter !== undefined) return `filters ${part.system}`
  if (part.concept !== undefined) return part.concept.map(concept => concept.code)
  if (part.valueSet !== undefined) {
    const [only, ...others] = part.valueSet
    if (only === undefined || others.length > 0 || part.system !== undefined) return 'intersects value sets'
    return listCodes(terminology.valueSets.get(only.split('|')[0] ?? ''), { codeSystems, ...terminology })
  }
  const system = codeSystems.get(part.system ?? '')
  if (system?.content !== 'complete' || system.concept === undefined) {
    return `takes all of ${part.system}, whose codes are not in the definitions`
  }
  return flatten(system.concept)
}

function flatten (concepts: readonly CodeSystemConcept[]): string[] {
  return concepts.flatMap(({ code, concept = [] }) => [code, ...flatten(concept)])
}
