import { randomBytes } from 'node:crypto'
import { startScript, startWorker } from '@fhir-bulk-export/stack/commands'
import { findFreePort } from '@fhir-bulk-export/stack/ports'
import type { Scope } from '@fhir-bulk-export/stack/scope'
import { maxRowErrors } from './data.ts'
import { note, type Figures } from './figures.ts'
import type { Parts } from './parts.ts'
import { keepRunning, type Kept } from './processes.ts'

const workerCount = 3

export interface ServiceOptions {
  parts: Parts
  logs: string
  secret: string
  leaseMs: number
  ttlMs: number
  encrypted: boolean
  figures: Figures
}

/**
 * An API and its workers, each started again when it ends. Exports expire soon, are read in several files, and may fail often: so many
 * things go wrong here.
 */
export async function startService (
  scope: Scope, { parts, logs, secret, leaseMs, ttlMs, encrypted, figures }: ServiceOptions
): Promise<{ workers: Kept[], api: Kept, origin: string }> {
  const port = await findFreePort()
  const origin = `http://127.0.0.1:${port}`
  const env = {
    NODE_ENV: 'production',
    DATABASE_URL: parts.databaseUrl,
    QUEUE_URL: parts.queueUrl,
    IPFS_URL: parts.storeUrl,
    EXPORT_TTL: `${ttlMs}ms`,
    EXPORT_LEASE: `${leaseMs}ms`,
    EXPORT_ATTEMPTS: '20',
    EXPORT_READERS: '2',
    EXPORT_FILE_BYTES: '1MiB',
    EXPORT_MAX_ROW_ERRORS: String(maxRowErrors),
    ...(encrypted ? { EXPORT_ENCRYPTION_KEY: `soak:${randomBytes(32).toString('base64')}` } : {}),
    MAX_KICK_OFFS_PER_MINUTE: '10000', // a few clients are many here
    MAX_REQUESTS_PER_MINUTE: '60000',
    HOST: '127.0.0.1',
    PORT: String(port),
    PUBLIC_URL: origin,
    JWT_SECRET: secret,
  }
  const onFault = (what: string) => {
    figures.processFaults++
    note(figures, what)
  }
  const api = keepRunning(scope, {
    name: 'api', readyLine: 'Server listening', logs, onFault,
    start: async (options) => await startScript('apps/api/src/server.ts', { env: { ...env, LOG_LEVEL: 'info' }, ...options }),
  })
  const workers = Array.from({ length: workerCount }, async (_, i) => await keepRunning(scope, {
    name: `worker-${i + 1}`, readyLine: '"worker ready"', logs, onFault, start: async (options) => await startWorker({ env, ...options }),
  }))
  return { workers: await Promise.all(workers), api: await api, origin }
}
