import type { Database } from '@fhir-bulk-export/core/db'
import { filesPerReading, type FileList, type PartResult } from '@fhir-bulk-export/core/exports'
import { createLineWriter } from '@fhir-bulk-export/core/resources'
import { getRelation, type Source } from '@fhir-bulk-export/core/source'
import type { Pool } from 'pg'
import type { Kysely } from 'kysely'
import type { ContentStore } from '@fhir-bulk-export/core/store'
import type { Config } from '../config.ts'
import { toDeletedLines } from '../files/deleted-lines.ts'
import { toDeletedQuery } from '../source/deleted.ts'
import type { SnapshotFilter } from '../source/filter.ts'
import { createNdjson, toErrorLines, toRowErrors } from '../files/ndjson.ts'
import type { Part, PartItem } from './plan.ts'
import type { LargeRows } from '../files/large-rows.ts'
import { joinSnapshot, type SnapshotRef } from '../source/snapshot.ts'
import { toCopyQuery } from '../source/queries.ts'
import { splitFiles, writeFile, type Lines } from '../files/write-file.ts'

/** A part of an attempt, as it travels to a reader. */
export interface ReadTask {
  exportId: string
  attempt: number
  snapshot: SnapshotRef
  filter: SnapshotFilter
  source: Source
  part: Part
  /** Of the numbers of its files in the ledger. */
  reading: number
}

export interface ReadResources { db: Kysely<Database>, snapshots: Pool, store: ContentStore, largeRows: LargeRows, config: Config }

/**
 * Reads a part and stores its files: rows → resources → NDJSON → store, with back-pressure all the way to PostgreSQL.
 * Memory is bounded by the pieces of the stream, not by rows or types. Errors of rows are told in files of the part's own.
 */
export async function readPart (
  { db, snapshots, store, largeRows, config }: ReadResources, task: ReadTask, onRows: (rows: number) => void, signal: AbortSignal
): Promise<PartResult> {
  signal.throwIfAborted()
  const { exportId, attempt, filter, source } = task
  const session = await joinSnapshot(snapshots, filter, source, task.snapshot, signal)
  const ndjson = createNdjson(config.EXPORT_MAX_ROW_ERRORS)
  const context = { mrnSystem: config.MRN_SYSTEM, attachmentBaseUrls: config.ATTACHMENT_BASE_URLS, elements: filter.elements }
  let files = 0
  let rows = 0

  function count (more: number): void {
    rows += more
    onRows(more)
  }

  async function readDeleted (): Promise<void> {
    const sql = toDeletedQuery(filter, source)
    if (sql !== undefined) await writeFiles('deleted', 'Bundle', toDeletedLines(session.copy(sql, 'what was deleted of the source')))
  }

  async function readOutput ({ type, range }: Extract<PartItem, { list: 'output' }>): Promise<void> {
    const relation = getRelation(source, type)
    const writer = createLineWriter(relation, context, ndjson.note)
    const sql = toCopyQuery(type, writer.columns, filter, source, range, config.EXPORT_MAX_ATTACHMENT_BYTES)
    await writeFiles('output', type, ndjson.fromRows(type, writer, session.copy(sql, `source.${relation.relation}`), count, largeRows))
  }

  async function writeFiles (list: FileList, type: string, lines: AsyncIterable<Lines>): Promise<void> {
    await splitFiles(lines, config.EXPORT_FILE_BYTES, async (file) => {
      const n = task.reading * filesPerReading + ++files
      await writeFile({ db, store, keyring: config.EXPORT_ENCRYPTION_KEY }, { export_id: exportId, attempt, n, list, type }, file, signal)
    })
  }

  try {
    for (const item of task.part) await (item.list === 'deleted' ? readDeleted() : readOutput(item))
    await writeFiles('error', 'OperationOutcome', toErrorLines([], ndjson.issues, config.PUBLIC_URL))
    return { files, rows, ...toRowErrors(ndjson.issues) }
  } finally {
    session.close()
  }
}
