import { chown, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError } from '../command-error.ts'

export interface Owner { uid: number, gid: number }

/**
 * Whom the server runs as: ourselves (undefined), or, if we are root, the owner of the data there are, else the user
 * `postgres` where a package of the system made one, else `nobody`. No user is added to the machine. initdb needs one that
 * has an entry in /etc/passwd.
 */
export async function findOwner (directory: string): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const { uid, gid } = await stat(join(directory, 'cluster')).catch(() => ({ uid: 0, gid: 0 }))
  if (uid !== 0) return { uid, gid }
  const users = await readFile('/etc/passwd', 'utf8')
  const owner = findUser(users, 'postgres') ?? findUser(users, 'nobody')
  if (owner === undefined) throw new CommandError('PostgreSQL cannot run as root, and there is neither a user postgres nor nobody')
  return owner
}

export async function giveTo (owner: Owner | undefined, path: string): Promise<void> {
  if (owner !== undefined) await chown(path, owner.uid, owner.gid)
}

/** `name:password:uid:gid:…` */
function findUser (users: string, name: string): Owner | undefined {
  const [, uid, gid] = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(users) ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}
