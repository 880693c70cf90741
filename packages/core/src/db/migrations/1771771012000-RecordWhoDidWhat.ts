import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/**
 * The audit: a row for each change, added in its transaction and never changed. It is partitioned by months, which are made ahead and dropped whole by a function with
 * its owner's rights: a worker may run that, and may neither change nor delete a row.
 */
export async function up (db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE bulk_export_audit (
      id uuid NOT NULL DEFAULT gen_random_uuid(),
      recorded_at timestamptz NOT NULL DEFAULT now(),
      event text NOT NULL CHECK (event IN ('requested', 'started', 'completed', 'failed', 'cancelled', 'deleted', 'expired', 'downloaded', 'refused', 'token-issued', 'token-refused')),
      outcome text NOT NULL CHECK (outcome IN ('success', 'failure')),
      process text NOT NULL CHECK (process IN ('api', 'worker')),
      export_id uuid,
      attempt integer,
      level text CHECK (level IN ('system', 'patient', 'group')),
      group_id text,
      types text[],
      requester text,
      role text CHECK (role IN ('ADMIN', 'PATIENT')),
      issuer text,
      subject text,
      client_id text,
      patient_id text,
      address text,
      request_id text,
      file_name text,
      bytes bigint,
      status integer,
      count integer,
      since timestamptz,
      detail text,
      PRIMARY KEY (recorded_at, id)
    ) PARTITION BY RANGE (recorded_at);
    CREATE INDEX bulk_export_audit_export ON bulk_export_audit (export_id, recorded_at);
    CREATE INDEX bulk_export_audit_client ON bulk_export_audit (client_id, recorded_at);

    CREATE FUNCTION bulk_export_refuse_change () RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN RAISE restrict_violation USING MESSAGE = 'rows of the audit are added and never changed'; END $$;
    CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON bulk_export_audit FOR EACH ROW EXECUTE FUNCTION bulk_export_refuse_change();
    CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON bulk_export_audit FOR EACH STATEMENT EXECUTE FUNCTION bulk_export_refuse_change();

    -- Makes the months up to a year ahead, and drops those that ended longer ago than the retention: never what is younger than a month. A row trigger comes with a
    -- partition by itself, one of TRUNCATE does not.
    CREATE FUNCTION bulk_export_keep_audit (retention interval) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      this_month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
      month timestamp;
      name text;
      dropped integer := 0;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtextextended('bulk_export_audit', 0));
      FOR month IN SELECT generate_series(this_month, this_month + interval '12 months', interval '1 month') LOOP
        name := to_char(month, '"audit_"YYYY_MM');
        IF to_regclass('fhir_bulk_export.' || name) IS NULL THEN
          EXECUTE format('CREATE TABLE fhir_bulk_export.%I PARTITION OF public.bulk_export_audit FOR VALUES FROM (%L) TO (%L)', name, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
          EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON fhir_bulk_export.%I FOR EACH STATEMENT EXECUTE FUNCTION public.bulk_export_refuse_change()', name);
        END IF;
      END LOOP;
      FOR name IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'public.bulk_export_audit'::regclass LOOP
        CONTINUE WHEN (to_timestamp(name, '"audit_"YYYY_MM')::date + interval '1 month') AT TIME ZONE 'UTC' > now() - greatest(retention, interval '31 days');
        EXECUTE format('DROP TABLE fhir_bulk_export.%I', name);
        dropped := dropped + 1;
      END LOOP;
      RETURN dropped;
    END $$;
    REVOKE ALL ON FUNCTION bulk_export_keep_audit (interval) FROM PUBLIC;
    SELECT bulk_export_keep_audit('1000 years');

    -- A download is written down when it ends, or when its lease has run out because nobody is left to end it.
    ALTER TABLE bulk_export_downloads ADD COLUMN file_name text, ADD COLUMN requester text, ADD COLUMN role text CHECK (role IN ('ADMIN', 'PATIENT')), ADD COLUMN issuer text,
      ADD COLUMN subject text, ADD COLUMN client_id text, ADD COLUMN patient_id text, ADD COLUMN address text, ADD COLUMN request_id text`.execute(db)
}

export async function down (db: Kysely<unknown>): Promise<void> {
  await sql`
    ALTER TABLE bulk_export_downloads DROP COLUMN file_name, DROP COLUMN requester, DROP COLUMN role, DROP COLUMN issuer, DROP COLUMN subject, DROP COLUMN client_id,
      DROP COLUMN patient_id, DROP COLUMN address, DROP COLUMN request_id;
    DROP FUNCTION bulk_export_keep_audit (interval);
    DROP TABLE bulk_export_audit;
    DROP FUNCTION bulk_export_refuse_change ()`.execute(db)
}
