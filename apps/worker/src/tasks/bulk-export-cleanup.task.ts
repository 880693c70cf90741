import type { Database } from '@fhir-bulk-export/core/db'
import { expireExports, forgetDroppedFiles, removeExpiredExports, removeStaleDownloads } from '@fhir-bulk-export/core/exports'
import type { Logger } from '@fhir-bulk-export/core/log'
import type { ContentStore } from '@fhir-bulk-export/core/store'
import type { Kysely } from 'kysely'
import { collectGarbage } from './collect-garbage.ts'
import { dropFiles, dropOrphans } from './sweep.ts'

/** Every hour, on the hour; a worker begins with one. */
export const cleanupSchedule = '0 * * * *'
export const cleanupTaskName = 'BulkExportCleanupTask'

/**
 * Expired exports: their keys are destroyed, their files unpinned, then their rows removed; at last the store gives back the
 * space of what was dropped. Every step may be repeated, and stop anywhere: a row
 * goes last, and only when no file of it is left. Any number of workers may run it at once.
 */
export async function runBulkExportCleanup (resources: { db: Kysely<Database>, store: ContentStore, log: Logger }, signal?: AbortSignal): Promise<void> {
  const { db, log } = resources
  const expired = await expireExports(db)
  await removeStaleDownloads(db)
  await dropFiles(resources)
  await dropOrphans(resources, signal)
  const removed = await removeExpiredExports(db)
  const forgotten = await forgetDroppedFiles(db)
  await collectGarbage(resources, { isOwed: forgotten > 0, signal })
  log.info({ task: cleanupTaskName, expired, removed }, 'cleanup done')
}
