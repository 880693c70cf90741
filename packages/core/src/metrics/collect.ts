import type { Kysely } from 'kysely'
import type { Pools } from '../db/connect.ts'
import type { Database } from '../db/database.ts'
import type { ExportQueue } from '../queue/export-queue.ts'
import type { SharedMetrics } from './definitions.ts'
import { readDatabaseFigures } from './database-figures.ts'

export interface MetricSources {
  db: Kysely<Database>
  queue: ExportQueue
  /** By the name that their connections have in PostgreSQL. */
  pools: Pools
}

/** Reads the figures of a scrape. One that cannot be read has no value, and is counted: an old value would look like a present one. */
export async function collect (metrics: SharedMetrics, { db, queue, pools }: MetricSources): Promise<void> {
  for (const [pool, { totalCount, idleCount, waitingCount }] of pools) {
    metrics.poolConnections.set({ pool, state: 'idle' }, idleCount)
    metrics.poolConnections.set({ pool, state: 'busy' }, totalCount - idleCount)
    metrics.poolWaiting.set({ pool }, waitingCount)
  }
  await Promise.all([
    readDatabaseFigures(db).then(({ exports, files, workers, runningResources, oldestWaitingSeconds }) => {
      reset(metrics)
      for (const [status, count] of exports) metrics.exports.set({ status }, count)
      for (const [state, count] of files) metrics.files.set({ state }, count)
      metrics.workers.set(workers)
      metrics.runningResources.set(runningResources)
      metrics.oldestWaiting.set(oldestWaitingSeconds)
    }).catch(() => {
      reset(metrics)
      metrics.collectFailures.inc({ of: 'database' })
    }),
    queue.countJobs().then((counts) => {
      for (const [state, count] of Object.entries(counts)) metrics.queueJobs.set({ state }, count)
    }).catch(() => {
      metrics.queueJobs.reset()
      metrics.collectFailures.inc({ of: 'queue' })
    }),
  ])
}

function reset ({ exports, files, workers, runningResources, oldestWaiting }: SharedMetrics): void {
  exports.reset()
  files.reset()
  workers.remove()
  runningResources.remove()
  oldestWaiting.remove()
}
