import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** Clients of SMART Backend Services, and the assertions that each of them has used. The columns are explained in db/tables/. */
export async function up (db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE bulk_export_clients (
      id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9._~-]{1,64}$'),
      name text NOT NULL,
      jwks jsonb,
      jwks_url text,
      scopes text[] NOT NULL,
      group_ids text[],
      max_active_exports integer CHECK (max_active_exports > 0),
      max_kick_offs_per_minute integer CHECK (max_kick_offs_per_minute > 0),
      max_requests_per_minute integer CHECK (max_requests_per_minute > 0),
      created_at timestamptz NOT NULL DEFAULT now(),
      keys_since timestamptz NOT NULL DEFAULT now(),
      disabled_at timestamptz,
      CONSTRAINT a_client_has_keys_or_their_address CHECK (num_nonnulls(jwks, jwks_url) = 1),
      CONSTRAINT a_client_may_do_something CHECK (cardinality(scopes) > 0 AND (group_ids IS NULL OR cardinality(group_ids) > 0))
    )`.execute(db)

  // Logged: an assertion that a crash forgot could be used again.
  await sql`
    CREATE TABLE bulk_export_client_assertions (
      client_id text NOT NULL,
      jti_sha256 text NOT NULL,
      expires_at timestamptz NOT NULL,
      PRIMARY KEY (client_id, jti_sha256)
    )`.execute(db)
  await sql`CREATE INDEX bulk_export_client_assertions_expiring ON bulk_export_client_assertions (expires_at)`.execute(db)
}

export async function down (db: Kysely<unknown>): Promise<void> {
  await sql`DROP TABLE bulk_export_client_assertions, bulk_export_clients`.execute(db)
}
