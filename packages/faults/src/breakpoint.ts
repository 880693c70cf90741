import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Owner } from './system.ts'

/**
 * Where a process stands still: inside of a statement of its own, on the server's side, by a trigger or a view that waits for an
 * advisory lock. So a process can be killed at an exact statement, and needs no hook for it.
 */
export interface Breakpoint {
  /** Resolves once a session stands there. */
  reached: () => Promise<void>
  /** The sessions that stand there go on, and none stops there any more. */
  release: () => Promise<void>
  /** The same, but the statements that stand there are lost with their connections, as if they had never arrived. */
  lose: () => Promise<void>
}

/** A trigger: `BEFORE UPDATE ON bulk_export_files`, `NEW.state = 'stored'`. */
export interface Trigger { when: string, table: string, condition?: string }

/** Of the advisory lock; each breakpoint of a process has its own. */
let keys = 0

async function openBreakpoint (
  owner: Owner, databaseUrl: string, setUp: (client: pg.Client, key: number) => Promise<void>
): Promise<Breakpoint> {
  const key = ++keys
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'fhir-bulk-export-watch' })
  client.on('error', () => {})
  await client.connect()
  owner.teardown(async () => { await client.end() })
  await client.query(`
    CREATE SCHEMA IF NOT EXISTS watch;
    CREATE OR REPLACE FUNCTION watch.stop_at(key bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE SET lock_timeout = 0 AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared(key); RETURN true; END $$;
    CREATE OR REPLACE FUNCTION watch.stop() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM watch.stop_at(TG_ARGV[0]::bigint); RETURN coalesce(NEW, OLD); END $$`)
  await client.query('SELECT pg_advisory_lock($1)', [key])
  await setUp(client, key)

  async function findWaiting (): Promise<number[]> {
    const { rows } = await client.query<{ pid: number }>(`
      SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, [key])
    return rows.map(({ pid }) => pid)
  }

  const release = async () => { await client.query('SELECT pg_advisory_unlock($1)', [key]) }

  return {
    reached: async () => { while ((await findWaiting()).length === 0) await delay(20) },
    release,
    lose: async () => {
      await client.query('SELECT pg_terminate_backend(pid, 5000) FROM unnest($1::int[]) AS pid', [await findWaiting()])
      await release()
    },
  }
}

/** Stops a session before it makes such a change. */
export async function breakAt (owner: Owner, databaseUrl: string, ...triggers: Trigger[]): Promise<Breakpoint> {
  return await openBreakpoint(owner, databaseUrl, async (client, key) => {
    for (const [i, { when, table, condition = 'true' }] of triggers.entries()) {
      await client.query(
        `CREATE TRIGGER stop_${key}_${i} ${when} ON ${table} FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION watch.stop('${key}')`
      )
    }
  })
}

/** Stops a session that reads this row of a source's relation: in the middle of a file. */
export async function breakAtRow (
  owner: Owner, databaseUrl: string, relation: string, id: string, condition = 'true'
): Promise<Breakpoint> {
  return await openBreakpoint(owner, databaseUrl, async (client, key) => {
    await client.query(`
      ALTER TABLE source.${relation} SET SCHEMA watch;
      CREATE VIEW source.${relation} AS SELECT * FROM watch.${relation}
      WHERE id <> ${client.escapeLiteral(id)} OR NOT (${condition}) OR watch.stop_at(${key})`)
  })
}
