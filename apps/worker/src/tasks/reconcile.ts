import type { Database } from '@fhir-bulk-export/core/db'
import { findWaitingExports } from '@fhir-bulk-export/core/exports'
import type { ExportQueue } from '@fhir-bulk-export/core/queue'
import type { Kysely } from 'kysely'

const batchSize = 100

/**
 * Rings again for every export that waits and may have lost its job: the queue was down at kick-off, came back empty, or
 * its worker died. Where the job is still there, this changes nothing.
 */
export async function reconcile ({ db, queue }: { db: Kysely<Database>, queue: ExportQueue }): Promise<void> {
  for (const id of await findWaitingExports(db, batchSize)) await queue.enqueueAgain(id)
}
