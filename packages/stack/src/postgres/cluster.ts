import { execFile } from 'node:child_process'
import { access, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Binaries } from './binaries.ts'
import { giveTo, type Owner } from './owner.ts'
import { CommandError } from '../command-error.ts'

const run = promisify(execFile)

export interface ClusterOptions {
  binaries: Binaries
  directory: string
  owner: Owner | undefined
  durable: boolean
  password: string
}

/** `<directory>/cluster` and `<directory>/password`, unless they are there: made under another name, so that it is whole or absent. */
export async function createCluster ({ binaries, directory, owner, durable, password }: ClusterOptions): Promise<void> {
  const cluster = join(directory, 'cluster')
  if (await exists(cluster)) return

  const fresh = join(directory, 'cluster.new')
  await rm(fresh, { recursive: true, force: true }) // left by a run that was killed
  const passwordFile = join(directory, 'password')
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  await giveTo(owner, passwordFile)
  await run(binaries.initdb, [
    `--pgdata=${fresh}`, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256',
    // The locale that comes with PostgreSQL itself: the same order on every machine.
    '--encoding=UTF8', '--no-locale', ...(binaries.hasBuiltinLocale ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []),
    '--no-instructions', ...(durable ? [] : ['--no-sync']),
  ], { cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C' }, ...owner })
  await rename(fresh, cluster)
}

/**
 * PostgreSQL trusts `postmaster.pid` as soon as any process of its user has that number: after a crash of the machine it
 * can be an innocent one, and the server would refuse to start. A PostgreSQL that really runs there is left alone:
 * without the file, a second one would start and destroy the data, so it is removed only if we know better.
 */
export async function refuseIfInUse (directory: string): Promise<void> {
  const cluster = join(directory, 'cluster')
  const lockFile = join(cluster, 'postmaster.pid')
  const pid = Number((await readFile(lockFile, 'utf8').catch(() => '')).split('\n')[0])
  if (!(pid > 0)) return
  const command = await findCommand(pid)
  if (command?.includes(cluster) === true) {
    throw new CommandError(`PostgreSQL (process ${pid}) already works on ${cluster}: is this running somewhere else?`)
  }
  if (command !== undefined) await rm(lockFile, { force: true })
}

/** The command line of a process: empty if there is none of that number, undefined if we cannot know. */
async function findCommand (pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return ''
  }
  if (platform() === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  return await run('ps', ['-o', 'command=', '-p', String(pid)]).then(({ stdout }) => stdout, () => undefined)
}

async function exists (path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false)
}
