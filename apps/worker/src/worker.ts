import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { keepAudit } from '@fhir-bulk-export/core/audit'
import { assertOwnSessions, createDatabase, createPool, snapshotApplicationName, type Pools } from '@fhir-bulk-export/core/db'
import { expireExports, forgetSnapshots, noteWorker, workerBeatMs } from '@fhir-bulk-export/core/exports'
import type { Logger } from '@fhir-bulk-export/core/log'
import { countCall, createWorkerMetrics, observeStore, openMetrics } from '@fhir-bulk-export/core/metrics'
import { assertQueueUsable, assertTakesJobs, createExportQueue, createExportWorker, partQueueName } from '@fhir-bulk-export/core/queue'
import { createReadiness } from '@fhir-bulk-export/core/readiness'
import { openContentStore } from '@fhir-bulk-export/core/store'
import cron from 'node-cron'
import type { Config } from './config.ts'
import { openDatabase, openSource } from './database.ts'
import { createProcessor, type WhileRunning } from './export/processor.ts'
import { createPartReaders } from './export/part-readers.ts'
import { readReaderIdentity } from './export/reader-identity.ts'
import { createReaders } from './export/readers.ts'
import { assertPrivate, assertReady } from './preflight.ts'
import { endsSnapshots } from './source/standby.ts'
import { cleanupSchedule, cleanupTaskName, noteCleanup, runBulkExportCleanup } from './tasks/bulk-export-cleanup.task.ts'
import { every } from './tasks/every.ts'
import { reconcile } from './tasks/reconcile.ts'
import { dropFiles } from './tasks/sweep.ts'

const longestTickMs = 5_000

export interface ExportService {
  /** Hands running exports on, then closes everything, in reverse order of opening. */
  close: () => Promise<void>
}

/** Opens everything a worker needs, checks it, and begins to take exports. `queuePrefix` keeps tests apart from each other. */
export async function buildWorker (config: Config, log: Logger, queuePrefix?: string): Promise<ExportService> {
  const closers: Array<() => Promise<unknown>> = []
  const onError = (err: unknown) => { log.error({ err }, 'background error') }
  const close = async () => {
    for (const closer of closers.reverse()) await closer().catch(onError)
  }

  const metrics = createWorkerMetrics()
  const pools: Pools = new Map()

  try {
    const db = openDatabase(config, 2 + config.WORKER_CONCURRENCY, onError, pools)
    closers.push(async () => { await db.destroy() })
    // Heartbeats have a connection of their own, and give up on it well before a lease is over.
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
    for (const url of [config.DATABASE_URL, config.EXPORT_DATABASE_URL]) if (url !== undefined) await assertOwnSessions(url)
    await assertReady(db, snapshots, primary)
    if (primary !== undefined && await endsSnapshots(snapshots)) {
      log.warn('hot_standby_feedback is off at EXPORT_DATABASE_URL: an export that takes longer than max_standby_streaming_delay may fail')
    }
    await assertQueueUsable(config.QUEUE_URL, queuePrefix)
    await store.ping()
    await assertPrivate(store, config)

    const queueOptions = { onError, ...(queuePrefix === undefined ? {} : { prefix: queuePrefix }) }
    const queue = createExportQueue(config.QUEUE_URL, queueOptions)
    closers.push(queue.close)

    const readers = createReaders({ db, snapshots, store, config }, onError, (call) => { countCall(metrics, call) })
    closers.push(readers.close)
    const shutdown = new AbortController()
    const identity = await readReaderIdentity(config)
    const partReaders = createPartReaders({ db, leases, readers, identity, log, config }, shutdown.signal)
    closers.push(partReaders.close)
    const partQueue = createExportQueue(config.QUEUE_URL, { ...queueOptions, name: partQueueName })
    closers.push(partQueue.close)
    const self = { id: randomUUID(), host: hostname() }
    const running = new Set<string>()
    const beat = async () => { await noteWorker(db, { ...self, running: [...running] }) }
    const whileRunning: WhileRunning = async (id, work) => {
      running.add(id)
      await beat().catch(onError)
      try {
        return await work()
      } finally {
        running.delete(id)
        await beat().catch(onError)
      }
    }
    const resources = {
      db, leases, snapshots, primary, readers, partReaders, partQueue, identity, store, log, config, metrics, whileRunning,
    }
    const partWorker = createExportWorker(config.QUEUE_URL, partReaders.help,
      { ...queueOptions, name: partQueueName, concurrency: readers.count, leaseMs: config.EXPORT_LEASE })
    closers.push(async () => { await partWorker.close() })
    const worker = createExportWorker(config.QUEUE_URL, createProcessor(resources, shutdown.signal),
      { ...queueOptions, concurrency: config.WORKER_CONCURRENCY, leaseMs: config.EXPORT_LEASE })
    closers.push(async () => { await worker.close() })
    await assertTakesJobs(worker, config.QUEUE_URL)
    await assertTakesJobs(partWorker, config.QUEUE_URL)
    worker.run().catch(onError)
    partWorker.run().catch(onError)

    const tick = every(Math.min(longestTickMs, config.EXPORT_LEASE / 6), async () => {
      await reconcile({ db, queue })
      partReaders.wake()
      await forgetSnapshots(db)
      await expireExports(db)
      await dropFiles(resources)
    }, onError, shutdown.signal)
    await beat()
    const heartbeat = every(workerBeatMs, beat, onError, shutdown.signal)
    const cleanUp = async () => {
      await keepAudit(db, config.AUDIT_RETENTION).catch(onError)
      await runBulkExportCleanup(resources, shutdown.signal).then((result) => { noteCleanup(metrics, result) }).catch(onError)
    }
    const firstCleanup = cleanUp() // a worker may never live to see the full hour
    const cleanup = cron.schedule(cleanupSchedule, cleanUp, { name: cleanupTaskName, noOverlap: true })
    closers.push(async () => {
      // It takes no further job before what runs is interrupted, or it would take those that it has just put back.
      const closed = Promise.all([worker.close(), partWorker.close()])
      shutdown.abort()
      await cleanup.destroy()
      await Promise.all([closed, tick, heartbeat, firstCleanup])
    })
    const findDown = createReadiness({
      database: beat,
      queue: async () => { await queue.ping() },
      store: async (signal) => { await store.ping({ signal }) },
    }, (err, dependency) => { log.warn({ err, dependency }, 'not ready') })
    const metricsServer = await openMetrics(config, metrics, { db, queue, pools }, findDown)
    closers.push(async () => { await metricsServer?.close() })
    log.info({ concurrency: config.WORKER_CONCURRENCY }, 'worker ready')
    return { close }
  } catch (error) {
    await close()
    throw error
  }
}
