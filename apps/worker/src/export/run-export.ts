import { announceSnapshot, publishExport, type ClaimedExport, type PartResult, type Progress } from '@fhir-bulk-export/core/exports'
import { toRelation } from '@fhir-bulk-export/core/resources'
import type { ContentStore } from '@fhir-bulk-export/core/store'
import type { Pool } from 'pg'
import type { Config } from '../config.ts'
import { Interruption } from '../interruption.ts'
import { toSnapshotFilter, toTransactionTime, type SnapshotFilter } from '../source/filter.ts'
import { assertFewErrors, toErrorLines } from '../files/ndjson.ts'
import { isWorthSharing, toParts } from './plan.ts'
import type { ReadPart, Readers } from './readers.ts'
import { readShared, type SharingResources } from './share-parts.ts'
import { openSnapshot, type Snapshot } from '../source/snapshot.ts'
import { toCountQuery, toRowsQuery } from '../source/queries.ts'
import { splitFiles, writeFile } from '../files/write-file.ts'

export interface ExportResources extends SharingResources {
  snapshots: Pool
  /** Where `snapshots` are of a standby. */
  primary: Pool | undefined
  readers: Readers
  store: ContentStore
  config: Config
}

/**
 * One attempt, from the snapshot to the published manifest: the parts of the export are read by several readers at once, all
 * on the same snapshot; those of a large one by the readers of other workers, too. Throws the first error; files that the
 * attempt has stored by then are in the ledger, and the sweep drops them.
 */
export async function runExport (resources: ExportResources, row: ClaimedExport, progress: Progress, signal: AbortSignal): Promise<void> {
  const { db, snapshots, primary, store, log, config } = resources
  signal.throwIfAborted()
  const filter = toSnapshotFilter(row, config.MRN_SYSTEM)
  // The first reader that fails stops the others, and so does `signal`.
  const failure = new AbortController()
  const stop = AbortSignal.any([signal, failure.signal])
  const standby = primary === undefined ? undefined : { primary, announce: async () => await announce(resources, row) }
  const snapshot = await openSnapshot(snapshots, filter, config.EXPORT_LATE_COMMIT_MARGIN, stop, standby)
  snapshot.lost.addEventListener('abort', () => { failure.abort(snapshot.lost.reason) })

  async function orStop<T> (work: Promise<T>): Promise<T> {
    return await work.catch((error: unknown) => {
      failure.abort(error)
      throw error
    })
  }

  try {
    const rows = new Map<string, number>()
    for (const type of filter.types) {
      rows.set(type, await snapshot.plan(toRowsQuery(type, filter, snapshot.source), `source.${toRelation(type)}`))
    }
    const reading = orStop(readParts(resources, row, { filter, snapshot, rows, progress, orStop }, stop))
    // All of them have ended before this goes on: no reader writes for an attempt that is over.
    const [read] = await Promise.allSettled([reading, orStop(countRows(snapshot, filter, progress))])
    stop.throwIfAborted()
    if (read.status === 'rejected') throw read.reason
    const results = read.value
    assertFewErrors(results, config.EXPORT_MAX_ROW_ERRORS)
    let ownFiles = 0
    await splitFiles(toErrorLines(row.ignored, [], config.PUBLIC_URL), config.EXPORT_FILE_BYTES, async (lines) => {
      const file = { export_id: row.id, attempt: row.attempt, n: ++ownFiles, list: 'error', type: 'OperationOutcome' } as const
      await writeFile({ db, store, keyring: config.EXPORT_ENCRYPTION_KEY }, file, lines, signal)
    })
    const files = results.reduce((sum, result) => sum + result.files, ownFiles)

    await snapshot.assertSameServer()
    signal.throwIfAborted()
    const transactionTime = toTransactionTime(filter, snapshot.transactionTime)
    const readings = [0, ...results.map(({ reading }) => reading)]
    const isOurs = await publishExport(db, row, { files, readings, transactionTime, ttlMs: config.EXPORT_TTL, progress })
    if (!isOurs) throw new Interruption('lost')
    log.info({ exportId: row.id, attempt: row.attempt, files, resources: progress.exported_resources }, 'export completed')
  } finally {
    snapshot.close()
  }
}

async function announce ({ db }: ExportResources, row: ClaimedExport): Promise<string> {
  const id = await announceSnapshot(db, row)
  if (id === undefined) throw new Interruption('lost')
  return id
}

interface Reading {
  filter: SnapshotFilter
  snapshot: Snapshot
  /** As PostgreSQL expects them, by type. */
  rows: ReadonlyMap<string, number>
  progress: Progress
  orStop: <T>(work: Promise<T>) => Promise<T>
}

/** The rows of all types, by the readers of this worker, or of all workers where that is worth it. */
async function readParts (
  resources: ExportResources, row: ClaimedExport, { filter, snapshot, rows, progress, orStop }: Reading, stop: AbortSignal
): Promise<Array<PartResult & { reading: number }>> {
  const { readers, config } = resources
  const { source, blocks, sizes, ref } = snapshot
  const sharing = { sizes, partBytes: config.EXPORT_PART_BYTES }
  const task = { snapshot: ref, filter, source }
  if (isWorthSharing(filter, source, rows, sharing)) {
    const parts = toParts(filter, source, blocks, readers.count, sharing)
    // A part that is read again begins at 0.
    const onRows = (dealt: number) => { advance(progress, Math.max(0, dealt - progress.exported_resources)) }
    return await readShared(resources, { attempt: row, task, parts }, onRows, stop)
  }
  const results: Array<PartResult & { reading: number }> = []
  const parts = toParts(filter, source, blocks, readers.count).entries()
  // It waits for as many threads as there are, and not for all of its parts at once: exports share the threads.
  await Promise.allSettled(Array.from({ length: readers.count }, async () => {
    for (const [i, part] of parts) {
      const reading = i + 1
      const own = { exportId: row.id, attempt: row.attempt, ...task, part, reading }
      const readBy = async (read: ReadPart) => await read(own, (more) => { advance(progress, more) }, stop)
      const result = await orStop(filter.patientId === null ? readers.withThread(readBy, stop) : readBy(readers.readHere))
      results.push({ ...result, reading })
    }
  }))
  stop.throwIfAborted()
  return results
}

/** While the readers are at work: on the same snapshot, so the counted rows are the rows that they read. */
async function countRows (snapshot: Snapshot, filter: SnapshotFilter, progress: Progress): Promise<undefined> {
  let total = 0
  for (const type of filter.types) total += await snapshot.count(toCountQuery(type, filter, snapshot.source), `source.${toRelation(type)}`)
  progress.total_resources = total
  advance(progress, 0)
}

function advance (progress: Progress, rows: number): void {
  progress.exported_resources += rows
  if (progress.total_resources > 0) {
    progress.progress = Math.min(99, Math.floor(100 * progress.exported_resources / progress.total_resources))
  }
}
