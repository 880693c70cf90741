import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '@fhir-bulk-export/core/db'
import { sql, type Kysely } from 'kysely'
import { findViolations, readTransitions, recordTransitions, type Transition } from '../transitions.ts'

/** An export's row and ours are written at the begin and at the end of a transaction. */
const slackMs = 5_000
const forgetAfter = '10 minutes'

/** What the database itself saw of the exports. */
export interface Watch {
  /** How an export ended, for a client that asked and found nothing; undefined: it vanished. */
  whyGone: (id: string) => Promise<'expired' | 'cancelled' | undefined>
  /** Looks at the exports that are long gone, and forgets them. */
  audit: () => Promise<void>
  /** Looks at all the others. */
  findViolations: () => Promise<string[]>
  /** How long exports waited for another attempt since the last heartbeat of a worker that died. */
  findTakeovers: () => Promise<Takeovers>
}

export interface Takeovers { count: number, medianMs: number, longest: { at: Date, exportId: string, ms: number } | undefined }

export async function openWatch (db: Kysely<Database>, { leaseMs, ttlMs }: { leaseMs: number, ttlMs: number }): Promise<Watch> {
  await recordTransitions(db)
  // A lease that is still held when the next attempt begins is one that ran out: its end, minus its length, was the last heartbeat.
  await sql`CREATE TABLE IF NOT EXISTS watch.takeovers (at timestamptz NOT NULL DEFAULT clock_timestamp(), export_id uuid NOT NULL,
    waited_ms double precision NOT NULL)`.execute(db)
  await sql`CREATE OR REPLACE FUNCTION watch.record_takeover() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO watch.takeovers (export_id, waited_ms) VALUES (NEW.id,
        1000 * extract(epoch FROM clock_timestamp() - OLD.available_at) + ${sql.lit(leaseMs)});
      RETURN NULL;
    END $$`.execute(db)
  await sql`CREATE OR REPLACE TRIGGER watch_record_takeover AFTER UPDATE ON bulk_export_jobs FOR EACH ROW
    WHEN (OLD.leased AND NEW.attempt > OLD.attempt) EXECUTE FUNCTION watch.record_takeover()`.execute(db)
  const violations: string[] = []

  async function whyGone (id: string): Promise<'expired' | 'cancelled' | undefined> {
    const transitions = await readTransitions(db, id)
    const end = transitions.findLast(({ to }) => to === 'completed' || to === 'failed' || to === 'cancelled')
    if (end === undefined) return undefined
    if (end.to === 'cancelled') return 'cancelled'
    return Date.now() > end.at.getTime() + ttlMs - slackMs ? 'expired' : undefined
  }

  async function audit (): Promise<void> {
    const { rows } = await sql<Transition & { n: number }>`
      DELETE FROM watch.transitions WHERE export_id IN (
        SELECT export_id FROM watch.transitions WHERE "to" IS NULL AND at < now() - ${forgetAfter}::interval LIMIT 1000)
      RETURNING n, at, export_id, "from", "to", attempt`.execute(db)
    violations.push(...findViolations(rows.toSorted((a, b) => a.n - b.n)))
  }

  async function findTakeovers (): Promise<Takeovers> {
    const { rows: [all] } = await sql<{ count: number, median: number | null }>`
      SELECT count(*) AS count, percentile_cont(0.5) WITHIN GROUP (ORDER BY waited_ms) AS median FROM watch.takeovers`.execute(db)
    const { rows: [longest] } = await sql<{ at: Date, exportId: string, ms: number }>`
      SELECT at, export_id AS "exportId", waited_ms AS ms FROM watch.takeovers ORDER BY waited_ms DESC LIMIT 1`.execute(db)
    return { count: all?.count ?? 0, medianMs: all?.median ?? 0, longest }
  }

  return { whyGone, audit, findViolations: async () => [...violations, ...findViolations(await readTransitions(db))], findTakeovers }
}

/** Asks again while PostgreSQL is away. Rejects when the signal aborts. */
export async function persistently<T> (ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch {
      await delay(500, undefined, { signal })
    }
  }
}
