import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { pathToFileURL } from 'node:url'
import { createDatabase, createPool, type Database } from '@fhir-bulk-export/core/db'
import { createExportQueue, type ExportQueue } from '@fhir-bulk-export/core/queue'
import { runScript, startScript, startWorker as startWorkerProcess } from '@fhir-bulk-export/stack/commands'
import { findFreePort } from '@fhir-bulk-export/stack/ports'
import { startPostgres } from '@fhir-bulk-export/stack/postgres'
import type { Scope } from '@fhir-bulk-export/stack/scope'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import { readParent } from '../measure/cpu.ts'

export interface Bench {
  db: Kysely<Database>
  pool: Pool
  /** The pid that all of PostgreSQL's processes descend from. */
  postmaster: number
  queue: ExportQueue
  /** In processes of their own, as in production. */
  startApi: (jwtSecret: string) => Promise<{ pid: number, url: string }>
  startWorker: (environment?: Record<string, string>) => Promise<{ pid: number, stop: () => Promise<void> }>
}

/** An empty, migrated database on a PostgreSQL of our own, durable as in production, with room in memory for the tables. */
export async function openBench (scope: Scope): Promise<Bench> {
  const { url } = scope.add(await startPostgres())
  const environment = { DATABASE_URL: url, QUEUE_URL: url }
  await runScript('packages/core/src/cli/migrate.ts', { args: ['--source'], env: environment, signal: scope.signal })
  const directory = await mkdtemp(join(tmpdir(), 'fhir-bulk-export-bench-'))
  scope.add({ stop: async () => { await rm(directory, { recursive: true, force: true }) } })
  const onError = (error: Error) => { console.error(error.message) }
  const db = createDatabase(url, { applicationName: 'bench', onError })
  scope.add({ stop: async () => { await db.destroy() } })
  const pool = createPool(url, { applicationName: 'bench', onError })
  scope.add({ stop: async () => { await pool.end() } })
  const queue = createExportQueue(url, { onError })
  scope.add({ stop: queue.close })
  const { rows: [backend] } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const postmaster = await readParent(backend?.pid ?? 0)

  async function startWorker (overrides = {}) {
    const { promise: ready, resolve } = Promise.withResolvers<void>()
    const worker = scope.add(await startWorkerProcess({
      env: { ...environment, IPFS_URL: pathToFileURL(directory).href, ...overrides },
      onLine: (line) => {
        if (line.includes('"worker ready"')) resolve()
        if (!line.startsWith('{"level":30')) console.error(line)
      },
    }))
    await ready
    return worker
  }
  async function startApi (jwtSecret: string) {
    const port = await findFreePort()
    const { promise: ready, resolve } = Promise.withResolvers<void>()
    const api = scope.add(await startScript('apps/api/src/server.ts', {
      env: {
        ...environment, IPFS_URL: pathToFileURL(directory).href, JWT_SECRET: jwtSecret, HOST: '127.0.0.1', PORT: String(port),
        PUBLIC_URL: `http://127.0.0.1:${port}`, MAX_KICK_OFFS_PER_MINUTE: '10000', MAX_REQUESTS_PER_MINUTE: '60000',
      },
      onLine: (line) => { if (line.includes('Server listening')) resolve() },
    }))
    await ready
    return { pid: api.pid, url: `http://127.0.0.1:${port}` }
  }
  return { db, pool, postmaster, queue, startWorker, startApi }
}
