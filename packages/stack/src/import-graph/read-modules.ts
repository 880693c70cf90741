import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ts from 'typescript'

export interface Module {
  path: string
  /** Specifiers as they are written, of static and dynamic imports, re-exports and imports of types. */
  imports: string[]
}

export async function readModules (root: string): Promise<Module[]> {
  const modules: Module[] = []
  for await (const path of glob('{apps,packages}/*/{src,test}/**/*.ts', { cwd: root })) {
    const text = await readFile(join(root, path), 'utf8')
    modules.push({ path: join(root, path), imports: ts.preProcessFile(text, true, true).importedFiles.map(file => file.fileName) })
  }
  return modules
}
