import { chmod, lstat, mkdir, mkdtemp, realpath, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { CommandError } from '../command-error.ts'

/**
 * Where an unprivileged server can work when root starts it. PostgreSQL refuses to run as root, and the user it runs as
 * cannot walk into root's home or into a clone below a 0700 directory.
 */

/** Whether every user may walk down to `path`: each directory on the way has the x bit for others. ACLs are not read. */
export async function isReachableByAll (path: string): Promise<boolean> {
  let directory = await realpath(path)
  for (;;) {
    if (((await stat(directory)).mode & 0o001) === 0) return false
    if (directory === dirname(directory)) return true
    directory = dirname(directory)
  }
}

/** The first of these that is there and that every user may enter; `/var/tmp` outlives a restart of the machine. */
async function findSharedDirectory (candidates: string[]): Promise<string> {
  for (const candidate of candidates) {
    if (await isReachableByAll(candidate).catch(() => false)) return candidate
  }
  throw new CommandError(`none of ${candidates.join(', ')} can be entered by the user that PostgreSQL runs as`)
}

export async function findTemporaryDirectory (): Promise<string> {
  return process.getuid?.() === 0 ? await findSharedDirectory([tmpdir(), '/tmp', '/var/tmp']) : tmpdir()
}

/** A directory of ours that others may enter and not change, in a folder in which another user may have made it first. */
export async function ensureOwnDirectory (parent: string): Promise<string> {
  const uid = process.getuid?.() ?? 0
  const directory = join(parent, `fhir-bulk-export-${uid}`)
  await mkdir(directory, { mode: 0o755 }).catch(error => { if (error.code !== 'EEXIST') throw error })
  const found = await lstat(directory) // not stat: a symbolic link of another user is no directory of ours
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o022) !== 0) {
    throw new CommandError(
      `${directory} exists and is not safe to use: it must be a directory that belongs to user ${uid} and that only this user can write to`
    )
  }
  await chmod(directory, 0o755) // the umask may have taken some of it away
  return directory
}

/**
 * The directory itself if the server can reach it, else a new one below `/var/tmp` (or the temporary folder) and a symbolic
 * link to it at `directory`. A removed link means a new directory; the old one is never deleted from here.
 */
export async function placeDataDirectory (directory: string): Promise<string> {
  await mkdir(dirname(directory), { recursive: true })
  const linked = await realpath(directory).catch(() => undefined)
  if (linked !== undefined) return linked
  if (process.getuid?.() !== 0 || await isReachableByAll(dirname(directory))) {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    return directory
  }
  const own = await ensureOwnDirectory(await findSharedDirectory(['/var/tmp', tmpdir(), '/tmp']))
  const target = await mkdtemp(join(own, 'data-'))
  await rm(directory, { force: true }) // a link that leads nowhere
  await symlink(target, directory)
  return target
}
