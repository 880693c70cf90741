import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** An export counts rows before it reads them. Where an index holds all that decides, PostgreSQL counts without the table. */
export async function up (db: Kysely<unknown>): Promise<void> {
  await replaceIndexes(db, "'updated_at\\)$'", "index.definition || ' INCLUDE (deleted_at)'")
  await createRelation(db, 'INCLUDE (deleted_at)')
}

export async function down (db: Kysely<unknown>): Promise<void> {
  await replaceIndexes(db, "'updated_at\\) INCLUDE \\(deleted_at\\)$'", "replace(index.definition, ' INCLUDE (deleted_at)', '')")
  await createRelation(db, '')
}

/** Of tables that were made here, which their trigger tells. `pattern` and `definition` are SQL. */
async function replaceIndexes (db: Kysely<unknown>, pattern: string, definition: string): Promise<void> {
  await sql.raw(`
    DO $$
    DECLARE
      index record;
    BEGIN
      FOR index IN
        SELECT i.indexrelid::regclass AS name, pg_get_indexdef(i.indexrelid) AS definition
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'source'::regnamespace
        JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'stamp_updated_at'
        WHERE pg_get_indexdef(i.indexrelid) ~ ${pattern}
      LOOP
        EXECUTE format('DROP INDEX %s', index.name);
        EXECUTE ${definition};
      END LOOP;
    END
    $$`).execute(db)
}

/** Two loaders may meet a type at the same time, and IF NOT EXISTS alone does not settle that. */
async function createRelation (db: Kysely<unknown>, include: string): Promise<void> {
  await sql.raw(`
    CREATE OR REPLACE FUNCTION source.create_relation (name text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      IF name !~ '^[a-z][a-z_]*$' THEN
        RAISE EXCEPTION 'not the name of a relation' USING ERRCODE = 'invalid_name';
      END IF;
      PERFORM pg_advisory_xact_lock(hashtext('source.create_relation'));
      IF to_regclass('source.' || name) IS NOT NULL THEN
        RETURN;
      END IF;
      EXECUTE format($sql$
        CREATE TABLE source.%1$I (
          id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9.-]{1,64}$'),
          updated_at timestamptz NOT NULL,
          deleted_at timestamptz,
          patient_id text,
          resource json NOT NULL
        );
        CREATE INDEX ON source.%1$I (updated_at) ${include};
        CREATE INDEX ON source.%1$I (patient_id, updated_at) ${include};
        CREATE TRIGGER stamp_updated_at BEFORE INSERT OR UPDATE ON source.%1$I
          FOR EACH ROW EXECUTE FUNCTION source.stamp_updated_at()$sql$, name);
    END
    $$`).execute(db)
}
