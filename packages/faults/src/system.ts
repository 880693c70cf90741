import { randomBytes } from 'node:crypto'
import { createDatabase, type Database } from '@fhir-bulk-export/core/db'
import { createExportQueue, type ExportQueue } from '@fhir-bulk-export/core/queue'
import { openContentStore, type ContentStore } from '@fhir-bulk-export/core/store'
import { startScript, startWorker as startWorkerScript } from '@fhir-bulk-export/stack/commands'
import { findFreePort } from '@fhir-bulk-export/stack/ports'
import { signToken } from '@fhir-bulk-export/stack/tokens'
import type { Kysely } from 'kysely'
import { recordTransitions } from './transitions.ts'

/** Where the parts of a system are: a migrated database, a queue, a content store. */
export interface Parts { databaseUrl: string, queueUrl: string, storeUrl: string }

/** The service on real parts, in processes of its own, and what a test sees of it. */
export interface System {
  db: Kysely<Database>
  queue: ExportQueue
  store: ContentStore
  /** Resolves when the worker takes exports. */
  startWorker: (environment?: Record<string, string>) => Promise<Process>
  /** Resolves when the API listens. */
  startApi: (environment?: Record<string, string>) => Promise<Api>
}

export interface Process {
  pid: number
  kill: (signal: NodeJS.Signals) => void
  /** Kills it, and resolves as `ended` does. */
  end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<number | null>
  /** Its exit code, null after a signal. */
  ended: Promise<number | null>
  /** What it wrote, a line each. */
  lines: string[]
}

export interface Api extends Process {
  /** With the FHIR base. */
  url: string
  origin: string
  /** What to send as Authorization. */
  authorization: (claims: object, lifetimeSeconds?: number) => { authorization: string }
}

export interface Owner { teardown: (end: () => Promise<void>) => void }

/** Short leases: a killed worker is missed soon. */
const defaults = { EXPORT_LEASE: '2s', EXPORT_READERS: '1', LOG_LEVEL: 'info' }

/** `owner`'s teardown stops all that was started. */
export async function openSystem (owner: Owner, { databaseUrl, queueUrl, storeUrl }: Parts): Promise<System> {
  const onError = () => {} // breaking things is the point
  const db = createDatabase(databaseUrl, { applicationName: 'fhir-bulk-export-watch', onError })
  owner.teardown(async () => { await db.destroy() })
  const queue = createExportQueue(queueUrl, { onError })
  owner.teardown(queue.close)
  const store = await openContentStore(storeUrl)
  owner.teardown(store.close)
  await recordTransitions(db)
  const environment = { DATABASE_URL: databaseUrl, QUEUE_URL: queueUrl, IPFS_URL: storeUrl, ...defaults }

  async function start (script: typeof startWorkerScript, readyLine: string, overrides: Record<string, string>): Promise<Process> {
    const ready = Promise.withResolvers<void>()
    const lines: string[] = []
    const onLine = (line: string) => {
      lines.push(line)
      if (line.includes(readyLine)) ready.resolve()
    }
    const process_ = await script({ env: { ...environment, ...overrides }, onLine })
    owner.teardown(process_.stop)
    const ended = process_.ended.then(({ code }) => code)
    await Promise.race([ready.promise, ended])
    const kill: Process['kill'] = (signal) => { process.kill(process_.pid, signal) }
    const end: Process['end'] = async (signal) => {
      kill(signal)
      return await ended
    }
    return { pid: process_.pid, kill, end, ended, lines }
  }

  async function startApi (overrides = {}): Promise<Api> {
    const port = await findFreePort()
    const origin = `http://127.0.0.1:${port}`
    const secret = randomBytes(48).toString('base64url')
    const api = await start(async (options) => await startScript('apps/api/src/server.ts', options), 'Server listening',
      { HOST: '127.0.0.1', PORT: String(port), PUBLIC_URL: origin, JWT_SECRET: secret, ...overrides })
    const authorization: Api['authorization'] = (claims, lifetimeSeconds = 3_600) =>
      ({ authorization: `Bearer ${signToken(secret, { ...claims }, { lifetimeSeconds })}` })
    return { ...api, origin, url: `${origin}/fhir/r4`, authorization }
  }

  return { db, queue, store, startWorker: async (overrides = {}) => await start(startWorkerScript, '"worker ready"', overrides), startApi }
}
