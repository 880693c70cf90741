import {
  assertOwnSessions, createDatabase, createPool, snapshotApplicationName, type Database, type Pools,
} from '@fhir-bulk-export/core/db'
import type { Logger } from '@fhir-bulk-export/core/log'
import { observeStore, type WorkerMetrics } from '@fhir-bulk-export/core/metrics'
import { assertQueueUsable } from '@fhir-bulk-export/core/queue'
import { openContentStore, type ContentStore } from '@fhir-bulk-export/core/store'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { Config } from './config.ts'
import { openDatabase, openSource } from './database.ts'
import { assertPrivate, assertReady } from './preflight.ts'
import { endsSnapshots } from './source/standby.ts'

export interface Connections {
  db: Kysely<Database>
  /** Heartbeats alone, which must not wait for others. */
  leases: Kysely<Database>
  snapshots: Pool
  /** Where `snapshots` leads to a standby. */
  primary: Pool | undefined
  store: ContentStore
}

/** `closers` close everything that was opened, in reverse order. */
export interface Opening {
  config: Config
  log: Logger
  metrics: WorkerMetrics
  pools: Pools
  closers: Array<() => Promise<unknown>>
  onError: (error: unknown) => void
}

export async function openConnections ({ config, metrics, pools, closers, onError }: Opening): Promise<Connections> {
  const db = openDatabase(config, 2 + config.WORKER_CONCURRENCY, onError, pools)
  closers.push(async () => { await db.destroy() })
  // A heartbeat is given up well before a lease is over.
  const leaseOptions = { applicationName: 'fhir-bulk-export-lease', max: 1, statementTimeoutMs: 5_000 }
  const leases = createDatabase(config.DATABASE_URL, { ...leaseOptions, pools, onError })
  closers.push(async () => { await leases.destroy() })
  const atOnce = 2 * config.WORKER_CONCURRENCY // one to open a snapshot, one to read a small export
  const snapshots = openSource(config, { max: atOnce, pools, onError })
  closers.push(async () => { await snapshots.end() })
  const primary = config.EXPORT_DATABASE_URL === undefined
    ? undefined
    : createPool(config.DATABASE_URL, { applicationName: snapshotApplicationName, max: 1, onError })
  closers.push(async () => { await primary?.end() })
  const store = observeStore(await openContentStore(config.IPFS_URL), metrics)
  closers.push(store.close)
  return { db, leases, snapshots, primary, store }
}

/** @throws where the worker could not export, or would export less than everything. */
export async function assertUsable (
  { db, snapshots, primary, store }: Connections, { config, log }: Opening, queuePrefix: string | undefined
): Promise<void> {
  for (const url of [config.DATABASE_URL, config.EXPORT_DATABASE_URL]) if (url !== undefined) await assertOwnSessions(url)
  await assertReady(db, snapshots, primary)
  if (primary !== undefined && await endsSnapshots(snapshots)) {
    log.warn('hot_standby_feedback is off at EXPORT_DATABASE_URL: an export that takes longer than max_standby_streaming_delay may fail')
  }
  await assertQueueUsable(config.QUEUE_URL, queuePrefix)
  await store.ping()
  await assertPrivate(store, config)
}
