import { snapshotApplicationName } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { hasSqlState } from '@fhir-bulk-export/core/postgres-errors'
import type { Source } from '@fhir-bulk-export/core/source'
import type { Pool, PoolClient } from 'pg'
import type { SnapshotFilter } from './filter.ts'
import { findOldestTransactionFunction } from './oldest-transaction.ts'
import { openSession, type SnapshotSession } from './snapshot-session.ts'
import { beginWithRow, isStandby, type Standby } from './standby.ts'
import { readUsableSource } from './usable-source.ts'

export interface Snapshot extends SnapshotSession {
  /** Everything committed up to this instant is in the snapshot; a chain of `_since = transactionTime` loses nothing. */
  transactionTime: Date
  /** By which other sessions join it, while this one lasts. */
  ref: SnapshotRef
  /** @throws ServiceError SNAPSHOT_LOST when the standby that it is of has been promoted. */
  assertSameServer: () => Promise<void>
  /** Aborts when its session ended by itself: it cannot be joined any more. */
  lost: AbortSignal
  /** As it is locked: its columns do not change until the end. */
  source: Source
  /** Blocks of each of the source's tables; nothing else can be read by ranges. */
  blocks: ReadonlyMap<string, number>
  /** Of these tables: with what is stored outside of their rows, and how many rows PostgreSQL thinks there are. */
  sizes: ReadonlyMap<string, { bytes: number, rows: number }>
}

/**
 * What names a snapshot to other sessions. Another server may have one of the same id: they are made of counters. `pid` and `since` are of
 * the session that took it, and no other server has that.
 */
export interface SnapshotRef { id: string, pid: number, since: string }

/**
 * One instant of the source: REPEATABLE READ, read only, in a session of its own.
 *
 * `transactionTime` is no later than the start of the oldest transaction that was open, read in a statement that ends
 * before the snapshot is taken: a row that such a transaction stamped and commits later is not in the snapshot, but its
 * stamp is later than `transactionTime`, so the next export has it. Read inside the snapshot's own transaction it would be
 * too late for what commits in between. The margin covers rows that an application stamped by its own clock before its
 * transaction began. `standby`: `pool` is of one, and the time is of its primary.
 */
export async function openSnapshot (
  pool: Pool, filter: SnapshotFilter, lateCommitMarginMs: number, signal?: AbortSignal, standby?: Standby
): Promise<Snapshot> {
  let transactionTime = new Date(NaN)
  let assertSameServer = async (): Promise<void> => {}
  let ref: SnapshotRef = { id: '', pid: 0, since: '' }
  let source: Source = { relations: [], problems: [] }
  const blocks = new Map<string, number>()
  const sizes = new Map<string, { bytes: number, rows: number }>()
  const session = await openSession(pool, filter, async (client) => {
    transactionTime = await readTransactionTime(standby?.primary ?? client, lateCommitMarginMs)
    if (standby === undefined) {
      await beginLocked(client)
    } else {
      const wasStandby = await beginWithRow(client, await standby.announce(), async () => { await beginLocked(client) }, signal)
      assertSameServer = async () => {
        if (await isStandby(client) !== wasStandby) throw new ServiceError('SNAPSHOT_LOST', 'The standby was promoted while it was read')
      }
    }
    const { rows: [exported] } = await client.query<SnapshotRef>(
      'SELECT pg_export_snapshot() AS id, pid, backend_start::text AS since FROM pg_stat_activity WHERE pid = pg_backend_pid()')
    if (exported === undefined) throw new Error('PostgreSQL does not know the session')
    ref = exported
    source = await readUsableSource(client, filter.types)
    const { rows } = await client.query<{ name: string, blocks: number, bytes: number, rows: number }>(`
      SELECT c.relname AS name, pg_relation_size(c.oid) / current_setting('block_size')::int AS blocks,
        pg_table_size(c.oid) AS bytes, c.reltuples::bigint AS rows
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'source' AND c.relkind = 'r'`)
    for (const { name, bytes, rows: tuples, ...row } of rows) {
      blocks.set(name, row.blocks)
      sizes.set(name, { bytes, rows: tuples })
    }
    return source
  }, signal)
  return { ...session, transactionTime, ref, assertSameServer, source, blocks, sizes }
}

/**
 * Another session on the same instant.
 * @throws ServiceError SNAPSHOT_LOST unless the session that opened the snapshot is there still, on this server.
 */
export async function joinSnapshot (
  pool: Pool, filter: SnapshotFilter, source: Source, { id, pid, since }: SnapshotRef, signal?: AbortSignal, lockTimeoutMs = 30_000
): Promise<SnapshotSession> {
  return await openSession(pool, filter, async (client) => {
    await client.query(begin)
    await client.query(`SET TRANSACTION SNAPSHOT ${client.escapeLiteral(id)}`).catch((cause: unknown) => {
      if (!hasSqlState(cause, 'invalidParameterValue', 'undefinedObject', 'notInPrerequisiteState')) throw cause
      throw new ServiceError('SNAPSHOT_LOST', undefined, { cause }) // there is none of this id, or its session is gone
    })
    const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2::timestamptz', [pid, since])
    if (rowCount === 0) throw new ServiceError('SNAPSHOT_LOST')
    // What waits for the locks of the session that opened the snapshot is in front of this one, for which that session waits.
    await client.query("SELECT set_config('lock_timeout', $1, true)", [String(lockTimeoutMs)])
    return source
  }, signal)
}

const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY'

/** LOCK takes no snapshot: the one that follows has all that LOCK waited for. */
async function beginLocked (client: PoolClient): Promise<void> {
  const lockable = await findLockable(client)
  await client.query(begin)
  if (lockable.length > 0) await client.query(`LOCK TABLE ${lockable.join(', ')} IN ACCESS SHARE MODE`)
}

/**
 * What is locked from before the snapshot until its end: TRUNCATE, VACUUM FULL and CLUSTER do not keep to snapshots, and would
 * take rows away from those that are read late (PostgreSQL manual, Concurrency Control, Caveats). Materialized views and foreign
 * tables cannot be locked. Relations that may not be read are named when the source is checked.
 */
async function findLockable (client: PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ relation: string }>(`
    SELECT format('source.%I', c.relname) AS relation FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'source' AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND has_table_privilege(c.oid, 'SELECT')`)
  return rows.map(({ relation }) => relation)
}

async function readTransactionTime (client: PoolClient | Pool, marginMs: number): Promise<Date> {
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
