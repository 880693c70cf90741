import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import { optionalServers } from '../optional-servers.ts'

/** Only a test that uses an optional server imports one of these, or has one of the words in its text or that of its fixtures. */
const modules = ['optional-servers', 'redis', 'kubo/index'].map(name => `packages/stack/src/${name}.ts`)
const words = Object.values(optionalServers).flatMap(({ variable, program }) => [variable, `'${program}'`])

/** The test files that may use an optional server, be it past `needs`, as paths relative to `root`. */
export async function findUsers (root: string): Promise<string[]> {
  const servers = [...modules]
  for await (const path of glob('{apps,packages}/*/test/**/*.ts', { cwd: root })) {
    const text = await readFile(join(root, path), 'utf8')
    if (words.some(word => text.includes(word))) servers.push(path)
  }
  const reaches = `(^|/)(${servers.map(path => path.replaceAll('.', '\\.')).join('|')})$`
  const { output } = await cruise(['apps', 'packages'], {
    baseDir: root, reaches, doNotFollow: { path: 'node_modules' }, tsPreCompilationDeps: true,
  },
  { exportsFields: ['exports'], conditionNames: ['import'] })
  const { modules: users } = output as ICruiseResult
  return users.map(({ source }) => source).filter(path => path.endsWith('.test.ts')).sort()
}
