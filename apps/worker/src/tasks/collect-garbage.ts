import { claimGarbage, releaseGarbage } from '@fhir-bulk-export/core/exports'
import type { SweepResources } from './sweep.ts'

/**
 * Has the store give back the space of what was dropped since the last time; one worker does. A store that is not done in its time is
 * asked again by the next cleanup; exports never wait for it. `isOwed`: the ledger has forgotten dropped files, and a worker that died
 * may have left their blocks.
 */
export async function collectGarbage (
  { db, store, log }: SweepResources, { isOwed, signal }: { isOwed: boolean, signal?: AbortSignal | undefined }
): Promise<void> {
  if (!await claimGarbage(db) && !isOwed) return
  const begun = performance.now()
  try {
    await store.collectGarbage({ signal })
    log.info({ durationMs: Math.round(performance.now() - begun) }, 'garbage collected')
  } catch (err) {
    log.warn({ err }, 'the garbage could not be collected')
    await releaseGarbage(db)
  }
}
