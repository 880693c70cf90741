import type { Logger } from '@fhir-bulk-export/core/log'
import { countCall, createWorkerMetrics, openMetrics } from '@fhir-bulk-export/core/metrics'
import { assertTakesJobs, createExportQueue, createExportWorker, partQueueName } from '@fhir-bulk-export/core/queue'
import { createReadiness } from '@fhir-bulk-export/core/readiness'
import type { Config } from './config.ts'
import { assertUsable, openConnections, type Connections, type Opening } from './connections.ts'
import { createPartReaders } from './export/part-readers.ts'
import { createProcessor } from './export/processor.ts'
import { readReaderIdentity } from './export/reader-identity.ts'
import { createReaders } from './export/readers.ts'
import { Interruption } from './interruption.ts'
import { createPresence } from './presence.ts'
import { startTasks } from './tasks/start-tasks.ts'

export interface ExportService {
  /** Hands running exports on, then closes everything, in reverse order of opening. */
  close: () => Promise<void>
}

/** Opens everything a worker needs, checks it, and begins to take exports. `queuePrefix` keeps tests apart from each other. */
export async function buildWorker (config: Config, log: Logger, queuePrefix?: string): Promise<ExportService> {
  const closers: Opening['closers'] = []
  const onError = (err: unknown) => { log.error({ err }, 'background error') }
  const close = async () => {
    for (const closer of closers.reverse()) await closer().catch(onError)
  }
  const opening: Opening = { config, log, metrics: createWorkerMetrics(), pools: new Map(), closers, onError }
  try {
    const connections = await openConnections(opening)
    await assertUsable(connections, opening, queuePrefix)
    await startWork(connections, opening, queuePrefix)
    log.info({ concurrency: config.WORKER_CONCURRENCY }, 'worker ready')
    return { close }
  } catch (error) {
    await close()
    throw error
  }
}

async function startWork (connections: Connections, opening: Opening, queuePrefix: string | undefined): Promise<void> {
  const { db, store } = connections
  const { config, log, metrics, pools, closers, onError } = opening
  const queueOptions = { onError, ...(queuePrefix === undefined ? {} : { prefix: queuePrefix }) }
  const queue = createExportQueue(config.QUEUE_URL, queueOptions)
  closers.push(queue.close)
  const readers = createReaders({ ...connections, config }, onError, (call) => { countCall(metrics, call) })
  closers.push(readers.close)
  const shutdown = new AbortController()
  const identity = await readReaderIdentity(config)
  const partReaders = createPartReaders({ ...connections, readers, identity, log, config }, shutdown.signal)
  closers.push(partReaders.close)
  const partQueue = createExportQueue(config.QUEUE_URL, { ...queueOptions, name: partQueueName })
  closers.push(partQueue.close)

  const presence = createPresence(db, onError)
  const resources = { ...connections, readers, partReaders, partQueue, identity, log, config, metrics, presence }
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

  await presence.beat()
  const tasks = startTasks({ ...resources, queue }, onError, shutdown.signal)
  closers.push(async () => {
    // It takes no further job before what runs is interrupted, or it would take those that it has just put back.
    const closed = Promise.all([worker.close(), partWorker.close()])
    shutdown.abort(new Interruption('shutdown'))
    await Promise.all([closed, tasks])
  })
  const findDown = createReadiness({
    database: presence.beat,
    queue: async () => { await queue.ping() },
    store: async (signal) => { await store.ping({ signal }) },
  }, (err, dependency) => { log.warn({ err, dependency }, 'not ready') })
  const metricsServer = await openMetrics(config, metrics, { db, queue, pools }, findDown)
  closers.push(async () => { await metricsServer?.close() })
}
