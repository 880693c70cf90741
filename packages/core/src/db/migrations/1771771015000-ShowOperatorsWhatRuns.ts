import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** For the operator's page: what each worker runs, and all exports, the newest first, page by page. */
export async function up (db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE bulk_export_workers ADD COLUMN running uuid[] NOT NULL DEFAULT '{}'`.execute(db)
  await sql`CREATE INDEX bulk_export_jobs_newest ON bulk_export_jobs (created_at, id)`.execute(db)
}

export async function down (db: Kysely<unknown>): Promise<void> {
  await sql`DROP INDEX bulk_export_jobs_newest`.execute(db)
  await sql`ALTER TABLE bulk_export_workers DROP COLUMN running`.execute(db)
}
