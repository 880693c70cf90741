import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** Which workers there are, and how a worker learns when the oldest open transaction began without seeing what others do. */
export async function up (db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE bulk_export_workers (
      id uuid PRIMARY KEY,
      host text NOT NULL,
      started_at timestamptz NOT NULL DEFAULT now(),
      seen_at timestamptz NOT NULL DEFAULT now()
    )`.execute(db)

  for (const [name, security] of [['bulk_export_oldest_transaction', 'INVOKER'], ['bulk_export_oldest_transaction_as_owner', 'DEFINER']] as const) {
    await createFunction(db, name, security)
  }
}

/**
 * A session whose role does not let its activity be tracked has no start of its transaction: that of the session is as early or earlier.
 * With its owner's eyes the function answers nothing but one instant; still, nobody may call it without a grant.
 */
async function createFunction (db: Kysely<unknown>, name: string, security: 'INVOKER' | 'DEFINER'): Promise<void> {
  await sql`
    CREATE FUNCTION ${sql.ref(name)}(except_application text) RETURNS timestamptz
    LANGUAGE plpgsql VOLATILE ${sql.raw(`SECURITY ${security}`)} SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
      IF NOT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') THEN
        RAISE insufficient_privilege USING MESSAGE = format('role %I may not see the transactions of others', current_user);
      END IF;
      RETURN (SELECT min(CASE WHEN state = 'disabled' THEN backend_start ELSE xact_start END) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type NOT IN ('autovacuum worker', 'parallel worker', 'walsender')
          AND (state IS DISTINCT FROM 'disabled' OR backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)
          AND application_name <> except_application AND pid <> pg_backend_pid());
    END
    $$`.execute(db)
  if (security === 'DEFINER') await sql`REVOKE ALL ON FUNCTION ${sql.ref(name)}(text) FROM PUBLIC`.execute(db)
}

export async function down (db: Kysely<unknown>): Promise<void> {
  await sql`DROP FUNCTION bulk_export_oldest_transaction, bulk_export_oldest_transaction_as_owner`.execute(db)
  await sql`DROP TABLE bulk_export_workers`.execute(db)
}
