import type { Database } from '@fhir-bulk-export/core/db'
import { findWaitingExports } from '@fhir-bulk-export/core/exports'
import type { ExportQueue } from '@fhir-bulk-export/core/queue'
import type { Kysely } from 'kysely'

const batchSize = 100

/**
 * Rings again for every export that waits and may have lost its job: the queue was down at kick-off, came back empty, or
 * its worker died. Where the job is still there, this changes nothing. One that cannot be rung for keeps no other.
 */
export async function reconcile ({ db, queue }: { db: Kysely<Database>, queue: ExportQueue }): Promise<void> {
  const ids = await findWaitingExports(db, batchSize)
  const settled = await Promise.allSettled(ids.map(queue.enqueueAgain))
  const failed = settled.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
