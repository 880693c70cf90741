import type { Database } from '@fhir-bulk-export/core/db'
import { countPublishedFiles, findDroppableFiles, judgePin, markFileDropped } from '@fhir-bulk-export/core/exports'
import type { Logger } from '@fhir-bulk-export/core/log'
import { parseFileKey, toFileKey, type ContentStore, type FileRef } from '@fhir-bulk-export/core/store'
import type { Kysely } from 'kysely'

export interface SweepResources { db: Kysely<Database>, store: ContentStore, log: Logger }

const batchSize = 100

/** Drops the files that are of no use any more, of one export or of all. Repeatable, and safe in many workers at once. */
export async function dropFiles (resources: SweepResources, exportId?: string): Promise<void> {
  let after: FileRef | undefined
  for (;;) {
    const files = await findDroppableFiles(resources.db, batchSize, { exportId, after })
    let dropped = 0
    for (const file of files) if (await dropFile(resources, file)) dropped++
    // A store that took no pin of a whole batch is not asked for the next one.
    if (files.length < batchSize || dropped === 0) return
    after = files.at(-1)
  }
}

/** A file that the store refuses must not keep the others: it is logged, and tried again by the next sweep. */
async function dropFile ({ db, store, log }: SweepResources, file: FileRef & { pin: string | null }): Promise<boolean> {
  const { export_id: exportId, attempt, n, pin } = file
  try {
    await store.drop({ key: toFileKey(file), pin })
    await markFileDropped(db, file)
    log.info({ exportId, attempt, n }, 'file dropped')
    return true
  } catch (err) {
    log.warn({ err, exportId, attempt, n }, 'file could not be dropped')
    return false
  }
}

/** What a comparison of store and ledger found. `missing`: published files without a pin; one that is dropped meanwhile counts, too. */
export interface PinCounts { pins: number, orphans: number, missing: number }

/**
 * Compares what the store keeps with the ledger, for what a worker stored and had no chance to write down: killed in
 * between, or woken after its file was swept. Pins that the ledger does not know are not ours and stay.
 */
export async function dropOrphans ({ db, store, log }: SweepResources, signal?: AbortSignal): Promise<PinCounts> {
  const counts: PinCounts = { pins: 0, orphans: 0, missing: await countPublishedFiles(db) }
  for await (const kept of store.list({ signal })) {
    const file = parseFileKey(kept.key)
    if (file === undefined) continue
    const standing = await judgePin(db, file)
    if (standing === 'unknown') continue
    counts.pins++
    if (standing === 'published') counts.missing--
    if (standing !== 'droppable') continue
    counts.orphans++
    await dropFile({ db, store, log }, { ...file, pin: kept.pin })
  }
  return { ...counts, missing: Math.max(0, counts.missing) } // one that was published meanwhile has a pin
}
