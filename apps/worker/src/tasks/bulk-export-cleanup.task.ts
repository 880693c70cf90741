import { forgetExpiredAssertions } from '@fhir-bulk-export/core/clients'
import {
  expireExports, forgetDroppedFiles, forgetQuietCallers, removeExpiredExports, removeStaleDownloads,
} from '@fhir-bulk-export/core/exports'
import type { WorkerMetrics } from '@fhir-bulk-export/core/metrics'
import { collectGarbage } from './collect-garbage.ts'
import { dropFiles, dropOrphans, type PinCounts, type SweepResources } from './sweep.ts'

/** `compared`: of store and ledger, where that went well. */
export interface CleanupResult { isWhole: boolean, compared: PinCounts | undefined }

/** Every hour, on the hour; a worker begins with one. */
export const cleanupSchedule = '0 * * * *'
export const cleanupTaskName = 'BulkExportCleanupTask'

/**
 * Expired exports: their keys are destroyed, their files unpinned, then their rows removed; at last the store gives back the space of
 * what was dropped. Every step may be repeated, and stop anywhere: a row goes last, and only when no file of it is left. Any number of
 * workers may run it at once. A step that fails keeps none of the others.
 */
export async function runBulkExportCleanup (resources: SweepResources, signal?: AbortSignal): Promise<CleanupResult> {
  const { db, log } = resources

  let isWhole = true

  async function step<T> (name: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (err) {
      log.error({ err, task: cleanupTaskName, step: name }, 'a step of the cleanup failed')
      isWhole = false
      return undefined
    }
  }

  const expired = await step('expire exports', async () => await expireExports(db))
  await step('remove stale downloads', async () => { await removeStaleDownloads(db) })
  await step('forget expired assertions', async () => { await forgetExpiredAssertions(db) })
  await step('forget quiet callers', async () => { await forgetQuietCallers(db) })
  await step('drop files', async () => { await dropFiles(resources) })
  const compared = await step('drop orphans', async () => await dropOrphans(resources, signal))
  const removed = await step('remove expired exports', async () => await removeExpiredExports(db))
  // One that failed half-way may have forgotten some.
  const forgotten = await step('forget dropped files', async () => await forgetDroppedFiles(db)) ?? 1
  await step('collect garbage', async () => { await collectGarbage(resources, { isOwed: forgotten > 0, signal }) })
  log.info({ task: cleanupTaskName, expired, removed, ...compared }, 'cleanup done')
  return { isWhole, compared }
}

type CleanupMetrics = Pick<WorkerMetrics, 'pins' | 'missingPins' | 'orphans' | 'cleanupSucceeded'>

export function noteCleanup (metrics: CleanupMetrics, { isWhole, compared }: CleanupResult): void {
  if (isWhole) metrics.cleanupSucceeded.setToCurrentTime()
  if (compared === undefined) return
  metrics.pins.set(compared.pins)
  metrics.missingPins.set(compared.missing)
  metrics.orphans.inc(compared.orphans)
}
