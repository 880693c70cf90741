import { snapshotApplicationName, useSearchPathOfSite } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { hasSqlState } from '@fhir-bulk-export/core/postgres-errors'
import type { Source } from '@fhir-bulk-export/core/source'
import type { Pool, PoolClient } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { findOldestTransactionFunction } from './oldest-transaction.ts'
import { toSettings } from './filter.ts'
import type { SnapshotFilter } from './filter.ts'
import { namingRelation, toSourceError } from './source-error.ts'
import { readUsableSource } from './usable-source.ts'

/** A session that sees one instant of the source, and only that. `relation` is what errors name (SOURCE_FAILED). */
export interface SnapshotSession {
  /**
   * Has PostgreSQL plan `sql`, and run nothing: what a caller's filter costs there in time and memory has a limit, while reading has none.
   * @throws ServiceError EXPORT_FAILED, SOURCE_FAILED
   */
  assertPlannable: (sql: string, relation: string, timeoutMs?: number) => Promise<void>
  /** Runs `SELECT count(*) …`. */
  count: (sql: string, relation: string) => Promise<number>
  /** Runs `COPY … TO STDOUT`; chunks come only as fast as they are asked for. */
  copy: (sql: string, relation: string) => AsyncIterable<Buffer>
  /** Frees the session at once, also in the middle of a COPY. */
  close: () => void
}

export interface Snapshot extends SnapshotSession {
  /** Everything committed up to this instant is in the snapshot; a chain of `_since = transactionTime` loses nothing. */
  transactionTime: Date
  /** By which other sessions join it, while this one lasts. */
  id: string
  /** As it is locked: nobody changes its columns until the end. */
  source: Source
  /** Blocks of each of the source's tables; nothing else can be read by ranges. */
  blocks: ReadonlyMap<string, number>
}

/**
 * One instant of the source: REPEATABLE READ, read only, in a session of its own.
 *
 * `transactionTime` is no later than the start of the oldest transaction that was open, read in a statement that ends
 * before the snapshot is taken: a row that such a transaction stamped and commits later is not in the snapshot, but its
 * stamp is later than `transactionTime`, so the next export has it. Read inside the snapshot's own transaction it would be
 * too late for what commits in between. The margin covers rows that an application stamped by its own clock before its
 * transaction began.
 */
export async function openSnapshot (pool: Pool, filter: SnapshotFilter, lateCommitMarginMs: number, signal?: AbortSignal): Promise<Snapshot> {
  let transactionTime = new Date(NaN)
  let id = ''
  let source: Source = { relations: [], problems: [] }
  const blocks = new Map<string, number>()
  const session = await openSession(pool, filter, async (client) => {
    transactionTime = await readTransactionTime(client, lateCommitMarginMs)
    const lockable = await findLockable(client)
    await client.query(begin)
    // LOCK takes no snapshot yet; whatever it waits for is in the one that follows.
    if (lockable.length > 0) await client.query(`LOCK TABLE ${lockable.join(', ')} IN ACCESS SHARE MODE`)
    const { rows: [exported] } = await client.query<{ id: string }>('SELECT pg_export_snapshot() AS id')
    id = exported?.id ?? ''
    source = await readUsableSource(client, filter.types)
    const { rows } = await client.query<{ name: string, blocks: number }>(`
      SELECT c.relname AS name, pg_relation_size(c.oid) / current_setting('block_size')::int AS blocks
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'source' AND c.relkind = 'r'`)
    for (const row of rows) blocks.set(row.name, row.blocks)
    return source
  }, signal)
  return { ...session, transactionTime, id, source, blocks }
}

/** Another session on the same instant; the one that opened the snapshot has to be there still. */
export async function joinSnapshot (pool: Pool, filter: SnapshotFilter, source: Source, snapshotId: string, signal?: AbortSignal): Promise<SnapshotSession> {
  return await openSession(pool, filter, async (client) => {
    await client.query(begin)
    await client.query(`SET TRANSACTION SNAPSHOT ${client.escapeLiteral(snapshotId)}`)
    return source
  }, signal)
}

const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY'

/** `takeSnapshot` gives back what the source has in it. The signal closes the session, and so wakes whoever waits for PostgreSQL. */
async function openSession (pool: Pool, filter: SnapshotFilter, takeSnapshot: (client: PoolClient) => Promise<Source>, signal?: AbortSignal): Promise<SnapshotSession> {
  const client = await pool.connect()
  let isClosed = false
  // Destroyed, not given back: ending a COPY half-way by other means leaves the backend holding the snapshot.
  const close = () => {
    if (!isClosed) client.release(true)
    isClosed = true
    signal?.removeEventListener('abort', close)
  }
  signal?.addEventListener('abort', close)
  try {
    signal?.throwIfAborted() // while it was connected nobody listened
    // Closing is not heard of by a server that waits for a lock or counts, unless it looks. Not every platform's can.
    await client.query("SET client_connection_check_interval = '1s'").catch(() => {})
    await setFilter(client, toSettings(filter, await takeSnapshot(client)))
  } catch (error) {
    close()
    throw error
  }
  return {
    assertPlannable: async (sql, relation, timeoutMs = planningTimeoutMs) => { await assertPlannable(client, sql, relation, timeoutMs) },
    count: async (sql, relation) => {
      const { rows: [row] } = await client.query<{ count: number }>(sql).catch((error: unknown) => { throw toSourceError(error, relation) })
      return row?.count ?? 0
    },
    copy: (sql, relation) => namingRelation(client.query(copyTo(sql)), relation),
    close,
  }
}

/** PostgreSQL has no limit on the memory of a plan, but one on its time. */
const planningTimeoutMs = 30_000

async function assertPlannable (client: PoolClient, sql: string, relation: string, timeoutMs: number): Promise<void> {
  await client.query("SELECT set_config('statement_timeout', $1, true)", [String(timeoutMs)])
  await client.query(`EXPLAIN ${sql}`).catch((cause: unknown) => {
    if (!hasSqlState(cause, 'queryCanceled')) throw toSourceError(cause, relation)
    throw new ServiceError('EXPORT_FAILED', `PostgreSQL took more than ${timeoutMs / 1_000} s to plan what _typeFilter asks for`, { cause })
  })
  await client.query("SELECT set_config('statement_timeout', '0', true)")
}

/**
 * What is locked from before the snapshot until its end: TRUNCATE, VACUUM FULL and CLUSTER do not keep to snapshots, and would
 * take rows away from those that are read late (PostgreSQL manual, Concurrency Control, Caveats). Materialized views and foreign
 * tables cannot be locked. What may not be read is named when the source is.
 */
async function findLockable (client: PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ relation: string }>(`
    SELECT format('source.%I', c.relname) AS relation FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'source' AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND has_table_privilege(c.oid, 'SELECT')`)
  return rows.map(({ relation }) => relation)
}

async function readTransactionTime (client: PoolClient, marginMs: number): Promise<Date> {
  const oldestTransaction = await findOldestTransactionFunction(client)
  const { rows: [row] } = await client.query<{ transaction_time: Date }>(`
    SELECT date_trunc('milliseconds', least(
      statement_timestamp(),
      ${oldestTransaction}($1),
      (SELECT min(prepared) - $2 * interval '1 ms' FROM pg_prepared_xacts WHERE database = current_database())
    ) - $2 * interval '1 ms' - interval '1 ms') AS transaction_time`, [snapshotApplicationName, marginMs])
  if (row === undefined) throw new Error('PostgreSQL gave no time')
  return row.transaction_time
}

/** For each of an export's connections, whatever is the site's default: a caller's filter is nothing to compile, or to spread over all cores. */
const limits = { work_mem: '32MB', hash_mem_multiplier: '2', max_parallel_workers_per_gather: '2', jit: 'off' }

async function setFilter (client: PoolClient, filter: Record<string, string>): Promise<void> {
  const settings = { ...filter, ...limits }
  await client.query(useSearchPathOfSite)
  await client.query('SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS s (name, value)',
    [Object.keys(settings), Object.values(settings)])
}
