import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** The source's relations as tables, for development and for sites that start empty. Columns: src/source/relations.ts. */
export async function up (db: Kysely<unknown>): Promise<void> {
  await sql`CREATE SCHEMA source`.execute(db)

  await sql`
    CREATE TABLE source.patients (
      id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9.-]{1,64}$'),
      updated_at timestamptz NOT NULL,
      deleted_at timestamptz,
      active boolean,
      identifier jsonb,
      mrn text,
      name jsonb,
      telecom jsonb,
      gender text,
      birth_date text,
      deceased boolean,
      deceased_date_time text,
      address jsonb,
      marital_status jsonb,
      multiple_birth boolean,
      multiple_birth_order integer,
      contact jsonb,
      communication jsonb,
      general_practitioner jsonb,
      managing_organization jsonb,
      link jsonb
    )`.execute(db)

  await sql`
    CREATE TABLE source.medical_records (
      id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9.-]{1,64}$'),
      updated_at timestamptz NOT NULL,
      deleted_at timestamptz,
      patient_id text NOT NULL,
      master_identifier jsonb,
      identifier jsonb,
      status text,
      doc_status text,
      type jsonb,
      category jsonb,
      date timestamptz,
      author jsonb,
      authenticator jsonb,
      custodian jsonb,
      relates_to jsonb,
      description text,
      security_label jsonb,
      content jsonb,
      encounter jsonb,
      event jsonb,
      period_start text,
      period_end text,
      facility_type jsonb,
      practice_setting jsonb,
      source_patient_info jsonb,
      related jsonb
    )`.execute(db)

  await sql`
    CREATE TABLE source.consents (
      id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9.-]{1,64}$'),
      updated_at timestamptz NOT NULL,
      deleted_at timestamptz,
      patient_id text NOT NULL,
      identifier jsonb,
      status text,
      scope jsonb,
      category jsonb,
      date_time text,
      performer jsonb,
      organization jsonb,
      source_attachment jsonb,
      source_reference jsonb,
      policy jsonb,
      policy_rule jsonb,
      verification jsonb,
      period_start text,
      period_end text,
      decision text,
      recipients jsonb,
      provision jsonb
    )`.execute(db)

  await sql`
    CREATE TABLE source.provenance_events (
      id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9.-]{1,64}$'),
      updated_at timestamptz NOT NULL,
      deleted_at timestamptz,
      patient_id text NOT NULL,
      target jsonb,
      occurred_date_time text,
      occurred_period_start text,
      occurred_period_end text,
      recorded timestamptz,
      policy jsonb,
      location jsonb,
      reason jsonb,
      activity jsonb,
      action text,
      agent jsonb,
      entity jsonb
    )`.execute(db)

  await sql`
    CREATE TABLE source.patient_groups (
      id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9.-]{1,64}$'),
      updated_at timestamptz NOT NULL,
      deleted_at timestamptz,
      identifier jsonb,
      active boolean,
      name text,
      code jsonb,
      managing_entity jsonb
    )`.execute(db)

  await sql`
    CREATE TABLE source.patient_group_members (
      id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9.-]{1,64}$'),
      updated_at timestamptz NOT NULL,
      deleted_at timestamptz,
      group_id text NOT NULL,
      patient_id text NOT NULL,
      period_start text,
      period_end text,
      inactive boolean
    )`.execute(db)

  // One patient's rows (with _since: those that changed), rows that changed, rows of patients that were deleted,
  // the members of a group and the groups of a patient.
  await sql`
    CREATE INDEX patients_updated ON source.patients (updated_at);
    CREATE INDEX patients_deleted ON source.patients (id) WHERE deleted_at IS NOT NULL;
    CREATE INDEX medical_records_updated ON source.medical_records (updated_at);
    CREATE INDEX medical_records_patient ON source.medical_records (patient_id, updated_at);
    CREATE INDEX consents_updated ON source.consents (updated_at);
    CREATE INDEX consents_patient ON source.consents (patient_id, updated_at);
    CREATE INDEX provenance_events_updated ON source.provenance_events (updated_at);
    CREATE INDEX provenance_events_patient ON source.provenance_events (patient_id, updated_at);
    CREATE INDEX patient_groups_updated ON source.patient_groups (updated_at);
    CREATE INDEX patient_group_members_updated ON source.patient_group_members (updated_at);
    CREATE INDEX patient_group_members_group ON source.patient_group_members (group_id, patient_id);
    CREATE INDEX patient_group_members_patient ON source.patient_group_members (patient_id)`.execute(db)

  // The time of the write, not of its transaction's start: the later it is stamped, the less `_since` has to look back.
  await sql`
    CREATE FUNCTION source.stamp_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.updated_at := clock_timestamp();
      RETURN NEW;
    END
    $$;
    CREATE TRIGGER stamp_updated_at BEFORE INSERT OR UPDATE ON source.patients
      FOR EACH ROW EXECUTE FUNCTION source.stamp_updated_at();
    CREATE TRIGGER stamp_updated_at BEFORE INSERT OR UPDATE ON source.medical_records
      FOR EACH ROW EXECUTE FUNCTION source.stamp_updated_at();
    CREATE TRIGGER stamp_updated_at BEFORE INSERT OR UPDATE ON source.consents
      FOR EACH ROW EXECUTE FUNCTION source.stamp_updated_at();
    CREATE TRIGGER stamp_updated_at BEFORE INSERT OR UPDATE ON source.provenance_events
      FOR EACH ROW EXECUTE FUNCTION source.stamp_updated_at();
    CREATE TRIGGER stamp_updated_at BEFORE INSERT OR UPDATE ON source.patient_groups
      FOR EACH ROW EXECUTE FUNCTION source.stamp_updated_at();
    CREATE TRIGGER stamp_updated_at BEFORE INSERT OR UPDATE ON source.patient_group_members
      FOR EACH ROW EXECUTE FUNCTION source.stamp_updated_at()`.execute(db)

  // A deleted patient's rows count as deleted, and clients were told so: once the patient is back, the rows have changed, too.
  await sql`
    CREATE FUNCTION source.touch_rows_of_patient() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE source.medical_records SET updated_at = clock_timestamp() WHERE patient_id = NEW.id;
      UPDATE source.consents SET updated_at = clock_timestamp() WHERE patient_id = NEW.id;
      UPDATE source.provenance_events SET updated_at = clock_timestamp() WHERE patient_id = NEW.id;
      RETURN NULL;
    END
    $$;
    CREATE TRIGGER touch_rows_of_patient AFTER UPDATE OF deleted_at ON source.patients
      FOR EACH ROW WHEN (OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL)
      EXECUTE FUNCTION source.touch_rows_of_patient()`.execute(db)
}

export async function down (db: Kysely<unknown>): Promise<void> {
  await sql`
    DROP TABLE source.patients, source.medical_records, source.consents, source.provenance_events,
      source.patient_groups, source.patient_group_members;
    DROP FUNCTION source.stamp_updated_at, source.touch_rows_of_patient;
    DROP SCHEMA source`.execute(db)
}
