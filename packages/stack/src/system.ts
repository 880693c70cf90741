import { createWriteStream } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { runScript, startScript, startWorker } from './commands.ts'
import { copyRows } from './copy-rows.ts'
import { startPostgres, type PostgresOptions } from './postgres.ts'
import { processError, waitUntilReady, type ManagedProcess } from './processes.ts'
import type { Scope } from './scope.ts'
import { ensureDatabase } from './sql.ts'

export interface Services {
  api: ManagedProcess
  worker: ManagedProcess
  /** Rejects when one of them ends by itself, with its last lines; never resolves. */
  broken: Promise<never>
}

export interface ServicesOptions {
  databaseUrl: string
  /** For the store and the logs. */
  directory: string
  port: number
  jwtSecret: string
  /** Of a node; undefined: a folder. */
  ipfsUrl?: string | undefined
}

/** A migrated database on a PostgreSQL of our own; its URL. */
export async function startDatabase (scope: Scope, options: PostgresOptions): Promise<string> {
  const server = scope.add(await startPostgres(options))
  const url = await ensureDatabase(server.url, 'fhir_bulk_export')
  await runScript('packages/core/src/cli/migrate.ts', {
    args: ['--source'], env: { DATABASE_URL: url, QUEUE_URL: url }, signal: scope.signal,
  })
  return url
}

/**
 * Takes a folder in by both ways and prints the counts: rows of columns (`<relation>.csv`) by COPY, and FHIR resources by `load`, which
 * names what is no valid R4 and leaves it out.
 */
export async function loadData (databaseUrl: string, folder: string, signal: AbortSignal): Promise<void> {
  for (const [relation, count] of Object.entries(await copyRows(databaseUrl, folder))) {
    console.log(`  ${relation}: ${count} rows of columns`)
  }
  const others = (await readdir(folder)).filter((name) => !name.endsWith('.csv'))
  if (others.length === 0) return
  await runScript('packages/core/src/cli/load.ts', {
    args: ['--progress', folder],
    env: { DATABASE_URL: databaseUrl },
    accepted: [0, 1], // 1: some lines were bad
    signal,
    onLine: line => { console.log(`  ${line}`) },
  })
}

export function publicUrlOf (port: number): string {
  return `http://localhost:${port}`
}

/**
 * API and worker in processes of their own, as in production, but on the servers of npm: queue in PostgreSQL, and files in a folder unless
 * there is a node.
 */
export async function startServices (
  scope: Scope, { databaseUrl, directory, port, jwtSecret, ipfsUrl }: ServicesOptions
): Promise<Services> {
  const store = join(directory, 'store')
  if (ipfsUrl === undefined) await mkdir(store, { recursive: true, mode: 0o700 })
  const env = {
    NODE_ENV: 'production',
    DATABASE_URL: databaseUrl,
    QUEUE_URL: databaseUrl,
    IPFS_URL: ipfsUrl ?? pathToFileURL(store).href,
    JWT_SECRET: jwtSecret,
    HOST: '127.0.0.1',
    PORT: String(port),
    PUBLIC_URL: publicUrlOf(port),
    MRN_SYSTEM: 'https://example.org/medical-record-numbers',
  }
  const logTo = (name: string) => {
    const file = createWriteStream(join(directory, name))
    return (line: string): void => { file.write(`${line}\n`) }
  }
  const worker = scope.add(await startWorker({ env, onLine: logTo('worker.log') }))
  const api = scope.add(await startScript('apps/api/src/server.ts', { env, onLine: logTo('api.log') }))

  const broken = Promise.race([fail(worker, 'the worker', scope), fail(api, 'the API', scope)])
  broken.catch(() => {}) // those that wait for it hear of it
  await Promise.race([
    waitUntilReady(api, untilAnswers(`http://127.0.0.1:${port}/readyz`, scope.signal), { name: 'the API', timeoutMs: 30_000 }), broken,
  ])
  return { api, worker, broken }
}

async function fail (service: ManagedProcess, name: string, scope: Scope): Promise<never> {
  const { how } = await service.ended
  scope.signal.throwIfAborted()
  throw processError(name, `ended (${how})`, service)
}

async function untilAnswers (url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]) }).catch(() => undefined)
    await response?.body?.cancel()
    if (response?.ok === true) return
    await sleep(100, undefined, { signal })
  }
}
