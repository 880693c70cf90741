import type { Kysely } from 'kysely'
import type { Database } from '../db/database.ts'
import type { AuditRow } from '../db/tables/bulk-export-audit.ts'

/** From `since` on, and before `until`. */
export interface AuditSearch { since: Date, until: Date, exportId?: string | undefined, clientId?: string | undefined }

const pageSize = 1_000

/** In the order of their time, a page of them in memory at once. */
export async function * findAudit (db: Kysely<Database>, { since, until, exportId, clientId }: AuditSearch): AsyncGenerator<AuditRow> {
  let after: Pick<AuditRow, 'recorded_at' | 'id'> | undefined
  for (;;) {
    let query = db.selectFrom('bulk_export_audit').selectAll().where('recorded_at', '>=', since).where('recorded_at', '<', until)
    if (exportId !== undefined) query = query.where('export_id', '=', exportId)
    if (clientId !== undefined) query = query.where('client_id', '=', clientId)
    if (after !== undefined) {
      const { recorded_at: at, id } = after
      // To the millisecond, as a Date has it: rows of the same one are read again and left out by their ids.
      query = query.where('recorded_at', '>=', at).where((eb) => eb.or([eb(eb.fn('date_trunc', [eb.val('milliseconds'), 'recorded_at']),
        '>', at), eb('id', '>', id)]))
    }
    const rows = await query.orderBy((eb) => eb.fn('date_trunc', [eb.val('milliseconds'), 'recorded_at'])).orderBy('id').limit(pageSize)
      .execute()
    yield * rows
    after = rows.at(-1)
    if (rows.length < pageSize) return
  }
}
