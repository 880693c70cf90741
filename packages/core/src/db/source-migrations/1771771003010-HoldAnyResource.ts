import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** Relations for any resource type: `resource` beside the columns, rows that belong to no patient, and tables made when they are needed. */
export async function up (db: Kysely<unknown>): Promise<void> {
  // json keeps what it was given: jsonb would write 1.0E2 as 100, and does not take every number of FHIR.
  await sql`
    ALTER TABLE source.patients ADD COLUMN resource json;
    ALTER TABLE source.medical_records ADD COLUMN resource json, ALTER COLUMN patient_id DROP NOT NULL;
    ALTER TABLE source.consents ADD COLUMN resource json, ALTER COLUMN patient_id DROP NOT NULL;
    ALTER TABLE source.provenance_events ADD COLUMN resource json, ALTER COLUMN patient_id DROP NOT NULL;
    ALTER TABLE source.patient_groups ADD COLUMN resource json`.execute(db)

  // Two loaders may meet a type at the same time, and IF NOT EXISTS alone does not settle that.
  await sql`
    CREATE FUNCTION source.create_relation (name text) RETURNS void LANGUAGE plpgsql AS $$
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
        CREATE INDEX ON source.%1$I (updated_at);
        CREATE INDEX ON source.%1$I (patient_id, updated_at);
        CREATE TRIGGER stamp_updated_at BEFORE INSERT OR UPDATE ON source.%1$I
          FOR EACH ROW EXECUTE FUNCTION source.stamp_updated_at()$sql$, name);
    END
    $$`.execute(db)

  // A group's resource holds its members, so it changes with them, and with what becomes of their patients.
  await sql`
    CREATE FUNCTION source.touch_groups_of_members() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP <> 'INSERT' THEN
        UPDATE source.patient_groups SET updated_at = clock_timestamp() WHERE id IN (SELECT group_id FROM old_rows);
      END IF;
      IF TG_OP <> 'DELETE' THEN
        UPDATE source.patient_groups SET updated_at = clock_timestamp() WHERE id IN (SELECT group_id FROM new_rows);
      END IF;
      RETURN NULL;
    END
    $$;
    CREATE TRIGGER touch_groups_of_inserted AFTER INSERT ON source.patient_group_members
      REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION source.touch_groups_of_members();
    CREATE TRIGGER touch_groups_of_updated AFTER UPDATE ON source.patient_group_members
      REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION source.touch_groups_of_members();
    CREATE TRIGGER touch_groups_of_deleted AFTER DELETE ON source.patient_group_members
      REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION source.touch_groups_of_members();
    CREATE FUNCTION source.touch_groups_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE source.patient_groups SET updated_at = clock_timestamp()
      WHERE id IN (SELECT group_id FROM source.patient_group_members WHERE patient_id = NEW.id);
      RETURN NULL;
    END
    $$;
    CREATE TRIGGER touch_groups_of_patient AFTER UPDATE OF deleted_at ON source.patients
      FOR EACH ROW WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL))
      EXECUTE FUNCTION source.touch_groups_of_patient()`.execute(db)

  await sql`
    CREATE OR REPLACE FUNCTION source.touch_rows_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      relation regclass;
    BEGIN
      FOR relation IN
        SELECT c.oid FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'patient_id' AND NOT a.attisdropped
        WHERE c.relnamespace = 'source'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.relname <> 'patient_group_members'
      LOOP
        EXECUTE format('UPDATE %s SET updated_at = clock_timestamp() WHERE patient_id = $1', relation) USING NEW.id;
      END LOOP;
      RETURN NULL;
    END
    $$`.execute(db)
}

export async function down (db: Kysely<unknown>): Promise<void> {
  await sql`
    DO $$
    DECLARE
      relation regclass;
    BEGIN
      FOR relation IN
        SELECT c.oid FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'stamp_updated_at'
        WHERE c.relnamespace = 'source'::regnamespace AND c.relname NOT IN
          ('patients', 'medical_records', 'consents', 'provenance_events', 'patient_groups', 'patient_group_members')
      LOOP
        EXECUTE format('DROP TABLE %s', relation);
      END LOOP;
    END
    $$;
    DROP TRIGGER touch_groups_of_patient ON source.patients;
    DROP TRIGGER touch_groups_of_inserted ON source.patient_group_members;
    DROP TRIGGER touch_groups_of_updated ON source.patient_group_members;
    DROP TRIGGER touch_groups_of_deleted ON source.patient_group_members;
    DROP FUNCTION source.create_relation, source.touch_groups_of_members, source.touch_groups_of_patient;
    DELETE FROM source.medical_records WHERE patient_id IS NULL;
    DELETE FROM source.consents WHERE patient_id IS NULL;
    DELETE FROM source.provenance_events WHERE patient_id IS NULL;
    ALTER TABLE source.patients DROP COLUMN resource;
    ALTER TABLE source.medical_records DROP COLUMN resource, ALTER COLUMN patient_id SET NOT NULL;
    ALTER TABLE source.consents DROP COLUMN resource, ALTER COLUMN patient_id SET NOT NULL;
    ALTER TABLE source.provenance_events DROP COLUMN resource, ALTER COLUMN patient_id SET NOT NULL;
    ALTER TABLE source.patient_groups DROP COLUMN resource;
    CREATE OR REPLACE FUNCTION source.touch_rows_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE source.medical_records SET updated_at = clock_timestamp() WHERE patient_id = NEW.id;
      UPDATE source.consents SET updated_at = clock_timestamp() WHERE patient_id = NEW.id;
      UPDATE source.provenance_events SET updated_at = clock_timestamp() WHERE patient_id = NEW.id;
      RETURN NULL;
    END
    $$`.execute(db)
}
