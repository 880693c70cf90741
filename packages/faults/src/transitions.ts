import type { Database, ExportRow } from '@fhir-bulk-export/core/db'
import { sql, type Kysely } from 'kysely'

/**
 * Every change of an export's row, written down by the database itself, so that nothing is missed between two looks. `from` is null
 * where the row was made, `to` where it was removed.
 */
export interface Transition {
  at: Date
  export_id: string
  from: ExportRow['status'] | null
  to: ExportRow['status'] | null
  attempt: number
}

/** From now on, in this database. Heartbeats change no status and are left out; claims are not. */
export async function recordTransitions (db: Kysely<Database>): Promise<void> {
  await sql`CREATE SCHEMA IF NOT EXISTS watch`.execute(db)
  await sql`
    CREATE TABLE IF NOT EXISTS watch.transitions (
      n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
      export_id uuid NOT NULL, "from" text, "to" text, attempt integer NOT NULL
    )`.execute(db)
  await sql`
    CREATE OR REPLACE FUNCTION watch.record() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND OLD.status = NEW.status AND OLD.attempt = NEW.attempt THEN RETURN NULL; END IF;
      INSERT INTO watch.transitions (export_id, "from", "to", attempt)
      VALUES (coalesce(NEW.id, OLD.id), OLD.status, NEW.status, coalesce(NEW.attempt, OLD.attempt));
      RETURN NULL;
    END $$`.execute(db)
  await sql`CREATE OR REPLACE TRIGGER watch_record AFTER INSERT OR UPDATE OR DELETE ON bulk_export_jobs FOR EACH ROW
    EXECUTE FUNCTION watch.record()`.execute(db)
}

export async function readTransitions (db: Kysely<Database>, exportId?: string): Promise<Transition[]> {
  const { rows } = await sql<Transition>`
    SELECT at, export_id, "from", "to", attempt FROM watch.transitions
    WHERE ${exportId ?? null}::uuid IS NULL OR export_id = ${exportId ?? null} ORDER BY n`.execute(db)
  return rows
}

const allowed: Record<string, string[]> = {
  null: ['pending'],
  pending: ['in_progress', 'cancelled'],
  in_progress: ['in_progress', 'completed', 'failed', 'cancelled'],
  completed: ['cancelled', 'null'],
  failed: ['null'],
  cancelled: ['null'],
}

/** What the life of an export does not allow (core's vocabulary.ts), and every export that was completed more than once. */
export function findViolations (transitions: Transition[]): string[] {
  const wrong = transitions.filter(({ from, to }) => allowed[String(from)]?.includes(String(to)) !== true)
    .map(({ export_id: id, from, to, attempt }) => `${id}: ${from} → ${to} in attempt ${attempt}`)
  const completed = transitions.filter(({ to, from }) => to === 'completed' && from !== 'completed').map(({ export_id: id }) => id)
  const twice = completed.filter((id, i) => completed.indexOf(id) !== i).map((id) => `${id}: completed twice`)
  return [...wrong, ...twice]
}
