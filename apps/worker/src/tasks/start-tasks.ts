import { keepAudit } from '@fhir-bulk-export/core/audit'
import { expireExports, forgetSnapshots, workerBeatMs } from '@fhir-bulk-export/core/exports'
import type { WorkerMetrics } from '@fhir-bulk-export/core/metrics'
import type { ExportQueue } from '@fhir-bulk-export/core/queue'
import cron from 'node-cron'
import type { Config } from '../config.ts'
import type { PartReaders } from '../export/part-readers.ts'
import type { Presence } from '../presence.ts'
import { cleanupSchedule, cleanupTaskName, noteCleanup, runBulkExportCleanup } from './bulk-export-cleanup.task.ts'
import { every } from './every.ts'
import { reconcile } from './reconcile.ts'
import { dropFiles, type SweepResources } from './sweep.ts'

const longestTickMs = 5_000

type TaskResources = SweepResources &
  { queue: ExportQueue, partReaders: PartReaders, presence: Presence, config: Config, metrics: WorkerMetrics }

/** Everything that a worker does by the clock, until `shutdown` aborts. Resolves when all of it has ended. */
export async function startTasks (
  resources: TaskResources, onError: (error: unknown) => void, shutdown: AbortSignal
): Promise<void> {
  const { db, config, metrics, partReaders, presence } = resources
  const tick = every(Math.min(longestTickMs, config.EXPORT_LEASE / 6), async () => {
    await reconcile(resources)
    partReaders.wake()
    await forgetSnapshots(db)
    await expireExports(db)
    await dropFiles(resources)
  }, onError, shutdown)
  const heartbeat = every(workerBeatMs, presence.beat, onError, shutdown)
  const cleanUp = async () => {
    await keepAudit(db, config.AUDIT_RETENTION).catch(onError)
    await runBulkExportCleanup(resources, shutdown).then((result) => { noteCleanup(metrics, result) }).catch(onError)
  }
  const firstCleanup = cleanUp() // a worker may never live to see the full hour
  const cleanup = cron.schedule(cleanupSchedule, cleanUp, { name: cleanupTaskName, noOverlap: true })
  shutdown.addEventListener('abort', () => { void cleanup.destroy() }, { once: true })
  await Promise.all([tick, heartbeat, firstCleanup])
}
