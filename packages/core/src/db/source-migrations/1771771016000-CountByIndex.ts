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

/**
 * Plain B-trees of tables that were made here, which their trigger tells, and that this role may change. `pattern` and `definition` are SQL.
 * Others may read while the new ones are built; the old ones are dropped at the end. That waits for exports: no longer than a minute.
 */
async function replaceIndexes (db: Kysely<unknown>, pattern: string, definition: string): Promise<void> {
  await sql.raw(`
    DO $$
    DECLARE
      index record;
      name text;
      names text[] := '{}';
    BEGIN
      PERFORM set_config('lock_timeout', '60s', true);
      FOR index IN
        SELECT ic.relname::text AS name, pg_get_indexdef(i.indexrelid) AS definition
        FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
        JOIN pg_catalog.pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'source'::regnamespace
        JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'stamp_updated_at'
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'deleted_at' AND NOT a.attisdropped
        WHERE pg_get_indexdef(i.indexrelid) ~ ('^CREATE INDEX [a-z0-9_]+ ON source[.].* USING btree .*' || ${pattern})
          AND c.relkind = 'r' AND NOT c.relispartition AND pg_has_role(c.relowner, 'USAGE')
      LOOP
        EXECUTE regexp_replace(${definition}, '^CREATE INDEX [a-z0-9_]+ ', format('CREATE INDEX replacing_%s ', md5(index.name)));
        names := names || index.name;
      END LOOP;
      FOREACH name IN ARRAY names LOOP
        EXECUTE format('DROP INDEX source.%I', name);
        EXECUTE format('ALTER INDEX source.replacing_%s RENAME TO %I', md5(name), name);
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
