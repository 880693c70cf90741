import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** The path of a program on PATH, or undefined. */
export async function findProgram (name: string): Promise<string | undefined> {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, name)
    if (directory !== '' && await access(path, constants.X_OK).then(() => true, () => false)) return path
  }
}
