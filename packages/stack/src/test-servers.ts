import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runScript } from './commands.ts'
import { guard } from './guard.ts'
import { findKubo, startKubo } from './kubo/index.ts'
import { startPostgres } from './postgres.ts'
import { findVersions } from './postgres/versions.ts'
import { findProgram } from './programs.ts'
import { optionalServers, type OptionalServerName } from './optional-servers.ts'
import { hasRedis, startRedis } from './redis.ts'
import type { Scope } from './scope.ts'
import { ensureDatabase, execute } from './sql.ts'
import { findVolatileDirectory } from './volatile-directory.ts'

export interface TestServers {
  /**
   * TEST_DATABASE_URL, TEST_TEMPLATE_DATABASE; those of the optional servers, undefined where there is none (not inherited from an outer
   * run).
   */
  env: NodeJS.ProcessEnv
  missing: OptionalServerName[]
}

const template = 'template_migrated'

export async function startTestServers (scope: Scope): Promise<TestServers> {
  // All of them have started or failed before we go on or give up: the scope has to know what it must stop.
  const settled = await Promise.allSettled([
    startDatabase(scope), startRedisIfPossible(scope), startKuboIfPossible(scope),
    findForTests('pgbouncer'), findForTests('openssl'), findForTests('curl'), findForTests('chromium'), findOlderPostgres(),
  ])
  const failed = settled.find(result => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const parts = settled.filter(result => result.status === 'fulfilled').map(result => result.value)
  return { env: Object.assign({}, ...parts.map(part => part.env)), missing: parts.flatMap(part => part.missing) }
}

async function startDatabase (scope: Scope): Promise<TestServers> {
  const { url } = scope.add(await startPostgres({ durable: false }))
  const templateUrl = await ensureDatabase(url, template)
  await runScript('packages/core/src/cli/migrate.ts', {
    args: ['--source'], env: { DATABASE_URL: templateUrl, QUEUE_URL: templateUrl }, signal: scope.signal,
  })
  // A connection to the template would make every CREATE DATABASE from it fail.
  await execute(url, `ALTER DATABASE ${template} ALLOW_CONNECTIONS false`)
  return { env: { TEST_DATABASE_URL: url, TEST_TEMPLATE_DATABASE: template }, missing: [] }
}

async function startRedisIfPossible (scope: Scope): Promise<TestServers> {
  return await hasRedis() ? found('redis', scope.add(await startRedis()).url) : missing('redis')
}

async function startKuboIfPossible (scope: Scope): Promise<TestServers> {
  if (await findKubo() === undefined) return missing('kubo')
  const repo = await mkdtemp(join(await findVolatileDirectory(), 'fhir-bulk-export-kubo-'))
  const dismissGuard = guard({ temporaryDirectory: repo })
  scope.add({
    stop: async () => {
      await rm(repo, { recursive: true, force: true })
      dismissGuard()
    },
  })
  return found('kubo', scope.add(await startKubo({ repo })).url)
}

/** A program that tests start by themselves. */
async function findForTests (name: 'pgbouncer' | 'openssl' | 'curl' | 'chromium'): Promise<TestServers> {
  const program = await findProgram(optionalServers[name].program)
  return program === undefined ? missing(name) : found(name, program)
}

async function findOlderPostgres (): Promise<TestServers> {
  const directory = await findVersions()
  return directory === undefined ? missing('postgresVersions') : found('postgresVersions', directory)
}

function found (name: OptionalServerName, url: string): TestServers {
  return { env: { [optionalServers[name].variable]: url }, missing: [] }
}

function missing (name: OptionalServerName): TestServers {
  return { env: { [optionalServers[name].variable]: undefined }, missing: [name] }
}
