import { dirname, relative, resolve, sep } from 'node:path'
import { findCycles } from './find-cycles.ts'
import { isAllowed } from './arrows.ts'
import { readModules, type Module } from './read-modules.ts'

/** What is wrong with the imports of a workspace, one sentence each, with paths relative to `root`. Imports of types count too. */
export async function findViolations (root: string): Promise<string[]> {
  const modules = await readModules(root)
  const forbidden = modules.flatMap(module => module.imports
    .filter(specifier => !isAllowed({ ...placeOf(root, module.path), specifier, target: targetPackage(root, module, specifier) }))
    .map(specifier => `forbidden: ${relative(root, module.path)} imports ${specifier}`))

  const graph = new Map(modules.map(module => [
    relative(root, module.path),
    module.imports.filter(isRelative).map(specifier => relative(root, resolve(dirname(module.path), specifier))),
  ]))
  const cycles = findCycles(graph).map(cycle => `cycle: ${[...cycle, cycle[0]].join(' → ')}`)
  return [...forbidden, ...cycles]
}

/** `apps/api/test/x.test.ts` → package `apps/api`, a test. */
function placeOf (root: string, path: string): { from: string, isTest: boolean } {
  const [folder, name, part] = relative(root, path).split(sep)
  return { from: `${folder}/${name}`, isTest: part === 'test' }
}

function targetPackage (root: string, module: Module, specifier: string): string | undefined {
  if (isRelative(specifier)) return placeOf(root, resolve(dirname(module.path), specifier)).from
  const name = /^@fhir-bulk-export\/([^/]+)/.exec(specifier)?.[1]
  if (name === undefined) return undefined
  return name === 'api' || name === 'worker' ? `apps/${name}` : `packages/${name}`
}

function isRelative (specifier: string): boolean {
  return specifier.startsWith('.')
}
