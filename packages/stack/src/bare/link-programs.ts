import { mkdir, readdir, rm, symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { optionalServers } from '../optional-servers.ts'

/** Fills a folder with links to all programs of PATH but those that start an optional server, and returns it. */
export async function linkPrograms (folder: string): Promise<string> {
  const links = new Map<string, string>()
  for (const directory of (process.env.PATH ?? '').split(delimiter).filter(name => name !== '')) {
    for (const name of await readdir(directory).catch(() => [])) if (!links.has(name)) links.set(name, join(directory, name))
  }
  for (const { program } of Object.values(optionalServers)) links.delete(program)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const [name, target] of links) await symlink(target, join(folder, name))
  return folder
}
