import { useSearchPathOfSite } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { hasSqlState } from '@fhir-bulk-export/core/postgres-errors'
import type { Source } from '@fhir-bulk-export/core/source'
import type { Pool, PoolClient } from 'pg'
import { copyOut } from './copy-out.ts'
import { toSettings, type SnapshotFilter } from './filter.ts'
import { namingRelation, toSourceError } from './source-error.ts'

/** A session that sees one instant of the source, and only that. `relation` is what errors name (SOURCE_FAILED). */
export interface SnapshotSession {
  /**
   * Has PostgreSQL plan `sql`, and run nothing: what a caller's filter costs there in time and memory has a limit, while reading has none.
   * @returns how many rows PostgreSQL expects.
   * @throws ServiceError EXPORT_FAILED, SOURCE_FAILED
   */
  plan: (sql: string, relation: string, timeoutMs?: number) => Promise<number>
  /** Runs `SELECT count(*) …`. */
  count: (sql: string, relation: string) => Promise<number>
  /** Runs `COPY … TO STDOUT` (copy-out.ts); chunks come only as fast as they are asked for. */
  copy: (sql: string, relation: string) => AsyncIterable<Buffer>
  /** Frees the session at once, also in the middle of a COPY. */
  close: () => void
}

/**
 * A session whose snapshot `takeSnapshot` takes; it gives back what the source has in it. The signal closes the session, which ends every
 * wait for PostgreSQL.
 */
export async function openSession (
  pool: Pool, filter: SnapshotFilter, takeSnapshot: (client: PoolClient) => Promise<Source>, signal?: AbortSignal
): Promise<SnapshotSession & { lost: AbortSignal }> {
  const client = await pool.connect()
  const lost = new AbortController()
  let lastError: unknown
  client.on('error', (error) => { lastError = error })
  client.once('end', () => { if (!isClosed) lost.abort(new ServiceError('SNAPSHOT_LOST', undefined, { cause: lastError })) })
  let isClosed = false
  // Destroyed, not given back: ending a COPY half-way by other means leaves the backend holding the snapshot.
  const close = () => {
    if (!isClosed) client.release(true)
    isClosed = true
    signal?.removeEventListener('abort', close)
  }
  signal?.addEventListener('abort', close)
  try {
    signal?.throwIfAborted() // there was no listener while it connected
    // Closing is not heard of by a server that waits for a lock or counts, unless it looks. Not every platform's can.
    await client.query("SET client_connection_check_interval = '1s'").catch(() => {})
    await setFilter(client, toSettings(filter, await takeSnapshot(client)))
  } catch (error) {
    close()
    throw error
  }
  return {
    plan: async (sql, relation, timeoutMs = planningTimeoutMs) => await plan(client, sql, relation, timeoutMs),
    count: async (sql, relation) => {
      const { rows: [row] } = await client.query<{ count: number }>(sql).catch((error: unknown) => { throw toSourceError(error, relation) })
      return row?.count ?? 0
    },
    copy: (sql, relation) => namingRelation(copyOut(client, sql), relation),
    lost: lost.signal,
    close,
  }
}

/** PostgreSQL has no limit on the memory of a plan, but one on its time. */
const planningTimeoutMs = 30_000

interface Explained { 'QUERY PLAN': Array<{ Plan: { 'Plan Rows': number } }> }

async function plan (client: PoolClient, sql: string, relation: string, timeoutMs: number): Promise<number> {
  await client.query("SELECT set_config('statement_timeout', $1, true)", [String(timeoutMs)])
  const { rows: [explained] } = await client.query<Explained>(`EXPLAIN (FORMAT JSON) ${sql}`).catch((cause: unknown) => {
    if (!hasSqlState(cause, 'queryCanceled')) throw toSourceError(cause, relation)
    throw new ServiceError('EXPORT_FAILED', `PostgreSQL took more than ${timeoutMs / 1_000} s to plan what _typeFilter asks for`, { cause })
  })
  await client.query("SELECT set_config('statement_timeout', '0', true)")
  return explained?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? 0
}

/** For each of an export's connections, instead of the site's defaults: a caller's filter must not compile or take all cores. */
const limits = { work_mem: '32MB', hash_mem_multiplier: '2', max_parallel_workers_per_gather: '2', jit: 'off' }

async function setFilter (client: PoolClient, filter: Record<string, string>): Promise<void> {
  const settings = { ...filter, ...limits }
  await client.query(useSearchPathOfSite)
  await client.query('SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS s (name, value)',
    [Object.keys(settings), Object.values(settings)])
}
