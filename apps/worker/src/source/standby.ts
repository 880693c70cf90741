import { setTimeout as delay } from 'node:timers/promises'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { ClientBase, Pool } from 'pg'

/** Rows are read from a standby, by EXPORT_DATABASE_URL; time and ledger are the primary's. */
export interface Standby {
  primary: Pool
  /** Commits a row of bulk_export_snapshots at the primary, and gives its random id. */
  announce: () => Promise<string>
}

const pauseMs = 100
/** A standby that is further behind does not get there in the time of an attempt. */
const longestLagMs = 600_000

/**
 * Begins the transaction again and again until its snapshot holds the announced row. A standby replays commits in the order of the primary:
 * the snapshot then holds whatever was committed before. A position in the WAL says less, for those of another timeline can be
 * compared as well, and no other server knows the row's id. `begin` must not take a snapshot.
 * @returns whether the server is a standby.
 * @throws ServiceError UNAVAILABLE when the server is no standby of the primary, or falls too far behind.
 */
export async function beginWithRow (client: ClientBase, id: string, begin: () => Promise<void>, signal?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + longestLagMs
  for (;;) {
    await begin()
    const { rows: [found] } = await client.query<{ has_row: boolean, is_standby: boolean }>(
      'SELECT EXISTS (SELECT FROM public.bulk_export_snapshots WHERE id = $1) AS has_row, pg_is_in_recovery() AS is_standby', [id])
    if (found?.has_row === true) return found.is_standby
    await client.query('ROLLBACK')
    if (found?.is_standby !== true) throw new ServiceError('UNAVAILABLE', 'EXPORT_DATABASE_URL is no standby of DATABASE_URL')
    if (performance.now() > deadline) throw new ServiceError('UNAVAILABLE', 'The standby at EXPORT_DATABASE_URL is too far behind')
    await delay(pauseMs, undefined, { signal })
  }
}

export async function isStandby (client: ClientBase): Promise<boolean> {
  const { rows: [found] } = await client.query<{ is_standby: boolean }>('SELECT pg_is_in_recovery() AS is_standby')
  return found?.is_standby === true
}

/** Whether the server ends snapshots that keep it from replaying what the primary cleans up: the ledger's own dead rows are among that. */
export async function endsSnapshots (pool: Pool): Promise<boolean> {
  const { rows: [found] } = await pool.query<{ ends: boolean }>(`
    SELECT pg_is_in_recovery() AND current_setting('hot_standby_feedback') = 'off'
      AND current_setting('max_standby_streaming_delay') <> '-1' AS ends`)
  return found?.ends === true
}

/** @throws ServiceError SETTING_REFUSED unless both are the same database of the same system: a primary and its standby. */
export async function assertSameDatabase (primary: Pool, standby: Pool): Promise<void> {
  const [first, second] = [await readIdentity(primary), await readIdentity(standby)]
  if (first === second) return
  throw new ServiceError('SETTING_REFUSED', 'EXPORT_DATABASE_URL is not the database of DATABASE_URL: a standby of it is expected')
}

async function readIdentity (pool: Pool): Promise<string | undefined> {
  const { rows: [found] } = await pool.query<{ identity: string }>(`
    SELECT concat_ws('.', system_identifier, (SELECT oid FROM pg_database WHERE datname = current_database())) AS identity
    FROM pg_control_system()`)
  return found?.identity
}
