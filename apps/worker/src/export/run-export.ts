import type { Database, ExportRow } from '@fhir-bulk-export/core/db'
import { publishExport } from '@fhir-bulk-export/core/exports'
import type { FileList, Progress } from '@fhir-bulk-export/core/exports'
import type { Logger } from '@fhir-bulk-export/core/log'
import type { ContentStore } from '@fhir-bulk-export/core/store'
import type { Kysely } from 'kysely'
import type { Pool } from 'pg'
import type { Config } from '../config.ts'
import { Interruption } from './ending.ts'
import { createNdjson } from './ndjson.ts'
import { openSnapshot } from './snapshot.ts'
import { toSourceQueries } from './sources.ts'
import { splitFiles, writeFile } from './write-file.ts'
import type { Lines } from './write-file.ts'

export interface ExportResources {
  db: Kysely<Database>
  snapshots: Pool
  store: ContentStore
  log: Logger
  config: Config
}

/**
 * One attempt, from the snapshot to the published manifest: every type's rows are read, made resources, written as NDJSON
 * and stored, one file after the other. Memory is bounded by pieces of the stream, not by rows or types.
 * Throws whatever went wrong; what the attempt has stored by then is found in the ledger and dropped by the sweep.
 */
export async function runExport ({ db, snapshots, store, log, config }: ExportResources, row: ExportRow, progress: Progress, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const filter = { patientId: row.patient_id, since: row.since }
  const snapshot = await openSnapshot(snapshots, filter, config.EXPORT_LATE_COMMIT_MARGIN)
  // An aborted attempt may be waiting for PostgreSQL: closing the session is what wakes it.
  signal.addEventListener('abort', snapshot.close, { once: true })
  try {
    const sources = row.types.map((type) => ({ type, ...toSourceQueries(type, filter, config.EXPORT_MAX_ATTACHMENT_BYTES) }))
    for (const { count } of sources) progress.total_resources += await snapshot.count(count)

    const ndjson = createNdjson({
      mrnSystem: config.MRN_SYSTEM,
      attachmentBaseUrls: config.ATTACHMENT_BASE_URLS,
      asOf: snapshot.transactionTime,
    }, config.EXPORT_MAX_ROW_ERRORS)
    let files = 0
    async function write (list: FileList, type: string, lines: AsyncIterable<Lines>) {
      let nth = 0
      await splitFiles(lines, config.EXPORT_FILE_BYTES, async (file) => {
        const name = `${list === 'output' ? type : list}.${++nth}.ndjson`
        await writeFile({ db, store }, { export_id: row.id, attempt: row.attempt, n: ++files, list, type, name }, file, signal)
      })
    }
    for (const { type, copy, columns } of sources) {
      await write('output', type, ndjson.fromRows(type, columns, snapshot.copy(copy), (resources) => { advance(progress, resources) }))
    }
    await write('error', 'OperationOutcome', ndjson.problems())

    signal.throwIfAborted()
    const result = { files, transactionTime: snapshot.transactionTime, ttlMs: config.EXPORT_TTL, progress }
    if (!await publishExport(db, row, result)) throw new Interruption('lost')
    log.info({ exportId: row.id, attempt: row.attempt, files, resources: progress.exported_resources }, 'export completed')
  } finally {
    signal.removeEventListener('abort', snapshot.close)
    snapshot.close()
  }
}

function advance (progress: Progress, resources: number): void {
  progress.exported_resources += resources
  progress.progress = Math.min(99, Math.floor(100 * progress.exported_resources / Math.max(1, progress.total_resources)))
}
