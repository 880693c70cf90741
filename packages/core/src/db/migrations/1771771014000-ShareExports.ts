import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** Attempts that several workers read: the snapshot that they join, and the parts that they take. The columns: db/tables/. */
export async function up (db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE bulk_export_snapshots (
      export_id uuid NOT NULL,
      attempt integer NOT NULL,
      id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
      readers text,
      task jsonb,
      PRIMARY KEY (export_id, attempt)
    )`.execute(db)
  await sql`
    CREATE TABLE bulk_export_parts (
      export_id uuid NOT NULL,
      attempt integer NOT NULL,
      n integer NOT NULL,
      part jsonb NOT NULL,
      state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'reading', 'read', 'failed')),
      turn integer NOT NULL DEFAULT 0,
      losses integer NOT NULL DEFAULT 0,
      available_at timestamptz NOT NULL DEFAULT now(),
      rows bigint NOT NULL DEFAULT 0,
      files integer NOT NULL DEFAULT 0,
      row_errors integer NOT NULL DEFAULT 0,
      last_row_error text,
      failure jsonb,
      PRIMARY KEY (export_id, attempt, n),
      FOREIGN KEY (export_id, attempt) REFERENCES bulk_export_snapshots ON DELETE CASCADE,
      CONSTRAINT a_failed_part_says_why CHECK ((state = 'failed') = (failure IS NOT NULL))
    )`.execute(db)
}

export async function down (db: Kysely<unknown>): Promise<void> {
  await sql`DROP TABLE bulk_export_parts, bulk_export_snapshots`.execute(db)
}
