import { sql, type Kysely } from 'kysely'
import type { WrappedKey } from '../crypto/data-key.ts'
import type { Database } from '../db/database.ts'
import type { FileRow } from '../db/tables/bulk-export-files.ts'
import type { FileList } from '../vocabulary.ts'
import type { FileRef } from '../store/file-key.ts'

export type IntendedFile = Pick<FileRow, 'export_id' | 'attempt' | 'n' | 'list' | 'type'>
/** `size` and `sha256` are those of the plaintext, `cid` is that of what is stored. */
export type StoredContent = { cid: string, pin: string | null, size: number, sha256: string, count: number } & Partial<WrappedKey>

/**
 * Numbers of the files of one reading: more than any has. Each reading numbers its files in a range of its own, so that no
 * number is used twice: reading 0 is the attempt's own files, the others are its parts (one that was read again is another one).
 */
export const filesPerReading = 100_000

/** Before the first byte. Returns false when the attempt is no longer the export's own. */
export async function intendFile (db: Kysely<Database>, file: IntendedFile): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await db.insertInto('bulk_export_files')
    .columns(['export_id', 'attempt', 'n', 'list', 'type'])
    .expression((eb) => eb.selectFrom('bulk_export_jobs')
      .select(({ val }) => [
        'id', 'attempt', sql<number>`${val(file.n)}::integer`.as('n'), val(file.list).as('list'), val(file.type).as('type'),
      ])
      .where('id', '=', file.export_id)
      .where('attempt', '=', file.attempt)
      .where('leased', '=', true))
    .executeTakeFirst()
  return numInsertedOrUpdatedRows > 0n
}

/**
 * After the last byte is pinned. Returns false when the attempt is no longer the export's own: the file is an orphan then.
 * The share lock orders it against the end of the attempt: no key is recorded after keys were destroyed.
 */
export async function recordFile (db: Kysely<Database>, ref: FileRef, content: StoredContent): Promise<boolean> {
  const { numUpdatedRows } = await db.updateTable('bulk_export_files')
    .from((eb) => eb.selectFrom('bulk_export_jobs').select('id')
      .where('id', '=', ref.export_id)
      .where('attempt', '=', ref.attempt)
      .where('leased', '=', true)
      .forShare()
      .as('own'))
    .set({ state: 'stored', ...content })
    .whereRef('export_id', '=', 'own.id')
    .where('attempt', '=', ref.attempt)
    .where('n', '=', ref.n)
    .where('state', '=', 'intended')
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/**
 * The files of a completed export's manifest, in the order they were written: all of them, or undefined once the export
 * has been dropped. One statement, so that no drop comes in between.
 */
export async function findPublishedFiles (db: Kysely<Database>, exportId: string): Promise<FileRow[] | undefined> {
  const rows = await db.selectFrom('bulk_export_jobs')
    .leftJoin('bulk_export_files',
      (join) => join.onRef('bulk_export_files.export_id', '=', 'bulk_export_jobs.id').on('state', '=', 'published'))
    .selectAll('bulk_export_files')
    .where('id', '=', exportId)
    .where('status', '=', 'completed')
    .where('bulk_export_jobs.dropped_at', 'is', null)
    .orderBy('n')
    .execute()
  // An export without files is one row of nulls.
  return rows.length === 0 ? undefined : rows.filter((row): row is FileRow => row.n !== null)
}

export async function findPublishedFile (db: Kysely<Database>, exportId: string, name: string): Promise<FileRow | undefined> {
  return await db.selectFrom('bulk_export_files').selectAll()
    .where('export_id', '=', exportId)
    .where('name', '=', name)
    .where('state', '=', 'published')
    .executeTakeFirst()
}

/**
 * Files that are of no use any more: of an export that was dropped, failed or cancelled, of an attempt that was
 * overtaken, or left out of the manifest. None of these conditions is ever taken back, so what is found here stays droppable. An
 * export with a running download keeps its files until the download's lease is over. In the order of the ledger's primary key, those behind
 * `after`.
 */
export async function findDroppableFiles (db: Kysely<Database>, limit: number,
  { exportId, after }: { exportId?: string | undefined, after?: FileRef | undefined } = {}): Promise<FileRow[]> {
  return await droppableFiles(db).selectAll('bulk_export_files')
    .$if(exportId !== undefined, (qb) => qb.where('export_id', '=', exportId as string))
    .$if(after !== undefined,
      (qb) => qb.where(sql<boolean>`(export_id, bulk_export_files.attempt, n) > (${after?.export_id}, ${after?.attempt}, ${after?.n})`))
    .orderBy('export_id').orderBy('bulk_export_files.attempt').orderBy('n')
    .limit(limit)
    .execute()
}

/** What a pin of this file is to the ledger; one that it does not know is not ours to judge. `droppable` may be dropped. */
export async function judgePin (db: Kysely<Database>, ref: FileRef): Promise<'unknown' | 'droppable' | 'published' | 'unpublished'> {
  const known = await db.selectFrom('bulk_export_files').select('state')
    .where('export_id', '=', ref.export_id).where('attempt', '=', ref.attempt).where('n', '=', ref.n)
    .executeTakeFirst()
  if (known === undefined) return 'unknown'
  if (known.state === 'dropped') return 'droppable'
  const droppable = await droppableFiles(db).select('n')
    .where('bulk_export_files.export_id', '=', ref.export_id).where('bulk_export_files.attempt', '=', ref.attempt).where('n', '=', ref.n)
    .executeTakeFirst()
  if (droppable !== undefined) return 'droppable'
  return known.state === 'published' ? 'published' : 'unpublished'
}

/** Files that a pin has to be there for. */
export async function countPublishedFiles (db: Kysely<Database>): Promise<number> {
  const { count } = await db.selectFrom('bulk_export_files').select(sql<number>`count(*)`.as('count'))
    .where('state', '=', 'published')
    .executeTakeFirstOrThrow()
  return count
}

/** Bytes before encryption. */
export interface StoredFigures { list: FileList, type: string, files: number, resources: number, bytes: number }

/** Of the files that an attempt has in this state, of all workers. More are stored than published where a part was read again. */
export async function sumFiles (
  db: Kysely<Database>, { id, attempt }: { id: string, attempt: number }, state: 'stored' | 'published'
): Promise<StoredFigures[]> {
  return await db.selectFrom('bulk_export_files')
    .select(['list', 'type', sql<number>`count(*)`.as('files')])
    .select([sql<number>`sum("count")::bigint`.as('resources'), sql<number>`sum(size)::bigint`.as('bytes')])
    .where('export_id', '=', id).where('attempt', '=', attempt).where('state', '=', state)
    .groupBy(['list', 'type']).orderBy('list').orderBy('type')
    .execute()
}

function droppableFiles (db: Kysely<Database>) {
  return db.selectFrom('bulk_export_files')
    .leftJoin('bulk_export_jobs', 'bulk_export_jobs.id', 'bulk_export_files.export_id')
    .where('state', '<>', 'dropped')
    .where((eb) => eb.or([
      eb('bulk_export_jobs.id', 'is', null),
      eb('bulk_export_jobs.dropped_at', 'is not', null),
      eb('bulk_export_jobs.status', 'in', ['failed', 'cancelled']),
      // Of a part that was read again.
      eb.and([eb('bulk_export_jobs.status', '=', 'completed'), eb('bulk_export_files.state', '<>', 'published')]),
      eb('bulk_export_jobs.attempt', '>', eb.ref('bulk_export_files.attempt')),
    ]))
    .where((eb) => eb.not(eb.exists(eb.selectFrom('bulk_export_downloads').select('id')
      .whereRef('bulk_export_downloads.export_id', '=', 'bulk_export_files.export_id')
      .where('lease_until', '>', sql<Date>`now()`))))
}

/** Also for a pin that turned up after the file was dropped. Its blocks are garbage from now on. */
export async function markFileDropped (db: Kysely<Database>, ref: FileRef): Promise<void> {
  await db.updateTable('bulk_export_files')
    .set({ state: 'dropped', dropped_at: sql`coalesce(dropped_at, now())`, wrapped_key: null, sha256: null, collected: false })
    .where('export_id', '=', ref.export_id)
    .where('attempt', '=', ref.attempt)
    .where('n', '=', ref.n)
    .execute()
}
