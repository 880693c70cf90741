import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** Indexes for what callers and the cleanup ask in batches, what a caller has used up of its requests, and hashes that go with their files. */
export async function up (db: Kysely<unknown>): Promise<void> {
  // A caller's own exports, the newest first, and how many it started lately.
  await sql`CREATE INDEX bulk_export_jobs_by_requester ON bulk_export_jobs (requester, created_at DESC, id)`.execute(db)
  // In batches, each from where the last one ended: what has been dealt with leaves the index.
  await sql`CREATE INDEX bulk_export_jobs_expiring ON bulk_export_jobs (expires_at, id) WHERE expires_at IS NOT NULL AND dropped_at IS NULL`.execute(db)
  await sql`CREATE INDEX bulk_export_files_uncollected ON bulk_export_files (dropped_at) WHERE state = 'dropped' AND NOT collected`.execute(db)
  // The sweep reads the ledger in the order of its primary key.
  await sql`DROP INDEX bulk_export_files_kept`.execute(db)
  await sql`CREATE INDEX bulk_export_files_kept ON bulk_export_files (export_id, attempt, n) WHERE state <> 'dropped'`.execute(db)

  // Unlogged: it may be lost with a crash, and costs no write-ahead log.
  await sql`
    CREATE UNLOGGED TABLE bulk_export_callers (
      requester text PRIMARY KEY,
      full_at timestamptz NOT NULL
    )`.execute(db)

  await sql`
    ALTER TABLE bulk_export_files DROP CONSTRAINT a_stored_file_is_known_whole,
      ADD CONSTRAINT a_stored_file_is_known_whole CHECK (state IN ('intended', 'dropped') OR (cid IS NOT NULL AND size > 0 AND count > 0))`.execute(db)
  await sql`
    UPDATE bulk_export_files AS file SET sha256 = NULL
    WHERE sha256 IS NOT NULL AND NOT EXISTS (
      SELECT FROM bulk_export_jobs AS job
      WHERE job.id = file.export_id AND job.dropped_at IS NULL AND job.status IN ('pending', 'in_progress', 'completed') AND job.attempt = file.attempt)`.execute(db)
}

/** What was destroyed is not brought back: the constraint holds for what is written from now on. */
export async function down (db: Kysely<unknown>): Promise<void> {
  await sql`
    ALTER TABLE bulk_export_files DROP CONSTRAINT a_stored_file_is_known_whole,
      ADD CONSTRAINT a_stored_file_is_known_whole
        CHECK (state IN ('intended', 'dropped') OR (cid IS NOT NULL AND size > 0 AND sha256 IS NOT NULL AND count > 0)) NOT VALID`.execute(db)
  await sql`DROP TABLE bulk_export_callers`.execute(db)
  await sql`DROP INDEX bulk_export_files_kept`.execute(db)
  await sql`CREATE INDEX bulk_export_files_kept ON bulk_export_files (export_id) WHERE state <> 'dropped'`.execute(db)
  await sql`DROP INDEX bulk_export_jobs_by_requester, bulk_export_jobs_expiring, bulk_export_files_uncollected`.execute(db)
}
