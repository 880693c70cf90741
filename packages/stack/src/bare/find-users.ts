import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, relative, resolve } from 'node:path'
import { readModules } from '../import-graph/read-modules.ts'
import { optionalServers } from '../optional-servers.ts'

/** What only a test that uses an optional server imports, or has in its text or that of its fixtures. */
const modules = ['optional-servers', 'redis', 'kubo/index'].map(name => resolve(import.meta.dirname, '..', `${name}.ts`))
const words = Object.values(optionalServers).flatMap(({ variable, program }) => [variable, `'${program}'`])

/** The test files that may use an optional server, be it past `needs`, as paths relative to `root`. */
export async function findUsers (root: string): Promise<string[]> {
  const importsOf = new Map((await readModules(root)).map(({ path, imports }) => [path, imports.flatMap(specifier => resolveOwn(path, specifier))]))
  const isUsing = new Map<string, boolean>()

  async function uses (path: string): Promise<boolean> {
    const known = isUsing.get(path)
    if (known !== undefined) return known
    isUsing.set(path, false) // while it is looked at: a cycle ends here
    const using = modules.includes(path) || await names(root, path) || await some(importsOf.get(path) ?? [], uses)
    isUsing.set(path, using)
    return using
  }

  const users: string[] = []
  for (const path of importsOf.keys()) if (path.endsWith('.test.ts') && await uses(path)) users.push(relative(root, path))
  return users.sort()
}

async function names (root: string, path: string): Promise<boolean> {
  if (!/^\w+\/\w+\/test\//.test(relative(root, path))) return false
  const text = await readFile(path, 'utf8')
  return words.some(word => text.includes(word))
}

function resolveOwn (path: string, specifier: string): string[] {
  if (specifier.startsWith('.')) return [resolve(dirname(path), specifier)]
  return specifier.startsWith('@fhir-bulk-export/') ? [createRequire(path).resolve(specifier)] : []
}

async function some<T> (items: T[], predicate: (item: T) => Promise<boolean>): Promise<boolean> {
  for (const item of items) if (await predicate(item)) return true
  return false
}
