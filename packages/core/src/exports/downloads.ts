import { sql, type Kysely } from 'kysely'
import { recordDownloads, type Actor } from '../audit/record.ts'
import type { Database } from '../db/database.ts'

const actorColumns = ['requester', 'role', 'issuer', 'subject', 'client_id', 'patient_id', 'address',
  'request_id'] as const satisfies Array<keyof Actor>

/**
 * A download that has begun is finished even when its export is deleted or expires meanwhile: it holds a lease.
 * The share lock on the export's row orders it against the statement that drops the export: one of them comes first.
 * @returns false when the export has no files to give any more.
 */
export async function beginDownload (
  db: Kysely<Database>, download: { id: string, exportId: string, fileName?: string, by?: Actor }, leaseMs: number
): Promise<boolean> {
  const { by = {} } = download
  const { numInsertedOrUpdatedRows = 0n } = await db.insertInto('bulk_export_downloads')
    .columns(['id', 'export_id', 'lease_until', 'file_name', ...actorColumns])
    .expression((eb) => eb.selectFrom('bulk_export_jobs')
      .select([
        sql<string>`${download.id}::uuid`.as('download_id'), 'id', sql<Date>`now() + ${leaseMs} * interval '1 ms'`.as('lease_until'),
        sql<string | null>`${download.fileName ?? null}::text`.as('file'),
        ...actorColumns.map((column) => sql<string | null>`${by[column] ?? null}::text`.as(`by_${column}`)),
      ])
      .where('id', '=', download.exportId)
      .where('status', '=', 'completed')
      .where('dropped_at', 'is', null)
      .where('expires_at', '>', sql<Date>`now()`)
      .forShare())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows > 0n
}

export async function renewDownload (db: Kysely<Database>, id: string, leaseMs: number): Promise<void> {
  await db.updateTable('bulk_export_downloads')
    .set({ lease_until: sql`now() + ${leaseMs} * interval '1 ms'` })
    .where('id', '=', id)
    .execute()
}

/** `bytes`: of the plaintext, handed to the connection. */
export async function endDownload (
  db: Kysely<Database>, id: string, { bytes, isWhole }: { bytes: number, isWhole: boolean }
): Promise<void> {
  await recordDownloads(db, sql`id = ${id}`, { bytes, isWhole, detail: isWhole ? null : 'broken off', process: 'api' })
}
