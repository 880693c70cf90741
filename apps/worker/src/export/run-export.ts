import type { Database } from '@fhir-bulk-export/core/db'
import { publishExport } from '@fhir-bulk-export/core/exports'
import type { ClaimedExport, Progress } from '@fhir-bulk-export/core/exports'
import type { Logger } from '@fhir-bulk-export/core/log'
import { toRelation } from '@fhir-bulk-export/core/resources'
import type { ContentStore } from '@fhir-bulk-export/core/store'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { Config } from '../config.ts'
import { Interruption } from '../interruption.ts'
import { toSnapshotFilter, toTransactionTime } from '../source/filter.ts'
import type { SnapshotFilter } from '../source/filter.ts'
import { assertFewErrors, toErrorLines } from '../files/ndjson.ts'
import { toParts } from './plan.ts'
import type { ReadResult } from './read-part.ts'
import type { Readers } from './readers.ts'
import { openSnapshot } from '../source/snapshot.ts'
import type { Snapshot } from '../source/snapshot.ts'
import { toCountQuery } from '../source/queries.ts'
import { splitFiles, writeFile } from '../files/write-file.ts'

export interface ExportResources {
  db: Kysely<Database>
  snapshots: Pool
  readers: Readers
  store: ContentStore
  log: Logger
  config: Config
}

/** More than the files of any part: two parts never use the same number. */
const filesPerPart = 100_000

/**
 * One attempt, from the snapshot to the published manifest: the parts of the export are read by several readers at once, all
 * on the same snapshot. Throws whatever went wrong first; what the attempt has stored by then is found in the ledger and
 * dropped by the sweep.
 */
export async function runExport (resources: ExportResources, row: ClaimedExport, progress: Progress, signal: AbortSignal): Promise<void> {
  const { db, snapshots, readers, store, log, config } = resources
  signal.throwIfAborted()
  const filter = toSnapshotFilter(row, config.MRN_SYSTEM)
  // The first reader that fails stops the others, and so does whoever stops the attempt.
  const failure = new AbortController()
  const stop = AbortSignal.any([signal, failure.signal])
  const snapshot = await openSnapshot(snapshots, filter, config.EXPORT_LATE_COMMIT_MARGIN, stop)

  async function orStop<T> (work: Promise<T>): Promise<T> {
    return await work.catch((error: unknown) => {
      failure.abort(error)
      throw error
    })
  }

  try {
    for (const type of filter.types) await snapshot.assertPlannable(toCountQuery(type, filter, snapshot.source), `source.${toRelation(type)}`)
    const parts = toParts(filter, snapshot.source, snapshot.blocks, readers.count)
    const reading = parts.map(async (part, i) => await orStop(readers.read({
      exportId: row.id,
      attempt: row.attempt,
      snapshotId: snapshot.id,
      filter,
      source: snapshot.source,
      part,
      firstFile: i * filesPerPart + 1,
    }, (rows) => { advance(progress, rows) }, stop)))
    // All of them have ended before we go on: nobody writes for an attempt that is over.
    const settled = await Promise.allSettled([orStop(countRows(snapshot, filter, progress)), ...reading])
    stop.throwIfAborted()
    const results = settled.map((outcome) => outcome.status === 'fulfilled' ? outcome.value : undefined).filter((result): result is ReadResult => result !== undefined)

    const issues = results.flatMap((result) => result.issues)
    assertFewErrors(issues, config.EXPORT_MAX_ROW_ERRORS)
    let files = results.reduce((sum, result) => sum + result.files, 0)
    let errorFiles = 0
    await splitFiles(toErrorLines(row.ignored, issues, config.PUBLIC_URL), config.EXPORT_FILE_BYTES, async (lines) => {
      const n = parts.length * filesPerPart + ++errorFiles
      await writeFile({ db, store, keyring: config.EXPORT_ENCRYPTION_KEY }, { export_id: row.id, attempt: row.attempt, n, list: 'error', type: 'OperationOutcome' }, lines, signal)
    })
    files += errorFiles

    signal.throwIfAborted()
    if (!await publishExport(db, row, { files, transactionTime: toTransactionTime(filter, snapshot.transactionTime), ttlMs: config.EXPORT_TTL, progress })) throw new Interruption('lost')
    log.info({ exportId: row.id, attempt: row.attempt, files, resources: progress.exported_resources }, 'export completed')
  } finally {
    snapshot.close()
  }
}

/** While the readers are at work: what is counted is what they read, for it is the same snapshot. */
async function countRows (snapshot: Snapshot, filter: SnapshotFilter, progress: Progress): Promise<undefined> {
  let total = 0
  for (const type of filter.types) total += await snapshot.count(toCountQuery(type, filter, snapshot.source), `source.${toRelation(type)}`)
  progress.total_resources = total
  advance(progress, 0)
}

function advance (progress: Progress, rows: number): void {
  progress.exported_resources += rows
  if (progress.total_resources > 0) progress.progress = Math.min(99, Math.floor(100 * progress.exported_resources / progress.total_resources))
}
