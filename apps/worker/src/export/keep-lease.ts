import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '@fhir-bulk-export/core/db'
import { renewLease, type Attempt, type Progress } from '@fhir-bulk-export/core/exports'
import type { Logger } from '@fhir-bulk-export/core/log'
import type { Kysely } from 'kysely'
import { Interruption } from '../interruption.ts'

const beatMs = 500

/**
 * Renews the attempt's lease twice a second, writes its progress, and learns whether the export was cancelled. A worker that could not
 * renew for a whole lease stops by itself: by then another worker may have the export. Runs until `signal` aborts.
 */
export async function keepLease (
  { db, log, leaseMs }: { db: Kysely<Database>, log: Logger, leaseMs: number },
  attempt: Attempt, progress: Progress, interrupt: (interruption: Interruption) => void, signal: AbortSignal
): Promise<void> {
  let renewedAt = performance.now()
  while (!signal.aborted) {
    const askedAt = performance.now()
    try {
      const state = await renewLease(db, attempt, leaseMs, progress)
      if (state !== 'held') return interrupt(new Interruption(state))
      renewedAt = askedAt
    } catch (err) {
      log.warn({ err, exportId: attempt.id }, 'the lease could not be renewed')
      if (performance.now() - renewedAt > leaseMs) return interrupt(new Interruption('lost'))
    }
    await delay(beatMs, undefined, { signal }).catch(() => {})
  }
}
