import { sql, type Kysely } from 'kysely'
import type { Database } from '../db/database.ts'

/** Makes partitions ahead, and drops the months that ended longer ago than `retentionMs`. Returns how many months it dropped. */
export async function keepAudit (db: Kysely<Database>, retentionMs: number): Promise<number> {
  const {
    rows: [row],
  } = await sql<{ dropped: number }>`SELECT public.bulk_export_keep_audit(${retentionMs} * interval '1 ms') AS dropped`.execute(db)
  return row?.dropped ?? 0
}
