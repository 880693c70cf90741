import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** Exports, the ledger of their files, and the leases of running downloads. The columns are explained in db/tables/. */
export async function up (db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE bulk_export_jobs (
      id uuid PRIMARY KEY,
      status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'in_progress', 'completed', 'failed', 'cancelled')),
      wire_profile text NOT NULL CHECK (wire_profile IN ('reference-card', 'respond-async', 'separate-export-status')),
      level text NOT NULL DEFAULT 'patient' CHECK (level IN ('system', 'patient', 'group')),
      group_id text,
      request text NOT NULL,
      requester_role text NOT NULL CHECK (requester_role IN ('ADMIN', 'PATIENT')),
      requester text NOT NULL,
      issuer text NOT NULL,
      patient_id text,
      patient_ids text[],
      types text[] NOT NULL,
      since timestamptz,
      until timestamptz,
      elements text[] NOT NULL DEFAULT '{}',
      type_filters text[] NOT NULL DEFAULT '{}',
      associated_data text[] NOT NULL DEFAULT '{}',
      ignored text[] NOT NULL DEFAULT '{}',
      created_at timestamptz NOT NULL DEFAULT now(),
      started_at timestamptz,
      ended_at timestamptz,
      expires_at timestamptz,
      dropped_at timestamptz,
      transaction_time timestamptz,
      attempt integer NOT NULL DEFAULT 0,
      failures integer NOT NULL DEFAULT 0,
      available_at timestamptz NOT NULL DEFAULT now(),
      leased boolean NOT NULL DEFAULT false,
      progress smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
      total_resources bigint NOT NULL DEFAULT 0,
      exported_resources bigint NOT NULL DEFAULT 0,
      failure_reason text,
      CONSTRAINT a_patient_exports_only_own_data
        CHECK (requester_role = 'ADMIN' OR (patient_id IS NOT NULL AND patient_id <> '')),
      CONSTRAINT a_patient_exports_at_patient_level CHECK (requester_role = 'ADMIN' OR level = 'patient'),
      CONSTRAINT a_group_export_names_its_group CHECK ((level = 'group') = (group_id IS NOT NULL)),
      CONSTRAINT an_ended_export_expires
        CHECK ((status IN ('completed', 'failed', 'cancelled')) = (ended_at IS NOT NULL)
          AND (ended_at IS NULL) = (expires_at IS NULL)),
      CONSTRAINT only_a_running_export_is_leased CHECK (status = 'in_progress' OR NOT leased),
      CONSTRAINT a_completed_export_has_its_instant
        CHECK (status <> 'completed' OR transaction_time IS NOT NULL)
    )`.execute(db)
  // What the reconciler asks (exports that wait or whose lease ran out), the limit per caller, and the cleanup.
  await sql`CREATE INDEX bulk_export_jobs_active ON bulk_export_jobs (available_at) WHERE status IN ('pending', 'in_progress')`.execute(db)
  await sql`CREATE INDEX bulk_export_jobs_active_by_requester ON bulk_export_jobs (requester) WHERE status IN ('pending', 'in_progress')`.execute(db)
  await sql`CREATE INDEX bulk_export_jobs_ended ON bulk_export_jobs (expires_at) WHERE expires_at IS NOT NULL`.execute(db)

  await sql`
    CREATE TABLE bulk_export_files (
      export_id uuid NOT NULL,
      attempt integer NOT NULL,
      n integer NOT NULL,
      state text NOT NULL DEFAULT 'intended' CHECK (state IN ('intended', 'stored', 'published', 'dropped')),
      list text NOT NULL CHECK (list IN ('output', 'deleted', 'error')),
      type text NOT NULL,
      name text,
      cid text,
      pin text,
      size bigint,
      sha256 text,
      count bigint,
      key_id text,
      wrapped_key bytea,
      collected boolean NOT NULL DEFAULT false,
      created_at timestamptz NOT NULL DEFAULT now(),
      dropped_at timestamptz,
      PRIMARY KEY (export_id, attempt, n),
      UNIQUE (export_id, attempt, name),
      CONSTRAINT a_stored_file_is_known_whole
        CHECK (state IN ('intended', 'dropped') OR (cid IS NOT NULL AND size > 0 AND sha256 IS NOT NULL AND count > 0)),
      CONSTRAINT a_published_file_has_a_name CHECK (state <> 'published' OR name IS NOT NULL),
      CONSTRAINT a_dropped_file_has_no_key CHECK (wrapped_key IS NULL OR (key_id IS NOT NULL AND state IN ('stored', 'published'))),
      CONSTRAINT a_dropped_file_says_when CHECK ((state = 'dropped') = (dropped_at IS NOT NULL))
    )`.execute(db)
  await sql`CREATE INDEX bulk_export_files_kept ON bulk_export_files (export_id) WHERE state <> 'dropped'`.execute(db)
  await sql`CREATE INDEX bulk_export_files_keyed ON bulk_export_files (export_id, attempt, n) WHERE wrapped_key IS NOT NULL`.execute(db)
  await sql`CREATE INDEX bulk_export_files_dropped ON bulk_export_files (dropped_at) WHERE state = 'dropped'`.execute(db)

  await sql`
    CREATE TABLE bulk_export_downloads (
      id uuid PRIMARY KEY,
      export_id uuid NOT NULL,
      lease_until timestamptz NOT NULL
    )`.execute(db)
  await sql`CREATE INDEX bulk_export_downloads_export ON bulk_export_downloads (export_id)`.execute(db)
}

export async function down (db: Kysely<unknown>): Promise<void> {
  await sql`DROP TABLE bulk_export_downloads, bulk_export_files, bulk_export_jobs`.execute(db)
}
