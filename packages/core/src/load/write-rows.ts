import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { hasSqlState } from '../postgres-errors.ts'
import type { Relation } from './relation.ts'
import type { Row } from './to-row.ts'

/**
 * Inserts rows, or replaces those of the same id: not deleted, and NULL in all other columns. All of them or none.
 * Returns how many it wrote. An equal row is not touched: its `updated_at` tells exports that it did not change.
 * The last of several rows with one id wins.
 */
export async function writeRows (pool: pg.Pool, relation: Relation, rows: readonly Row[]): Promise<number> {
  const last = [...new Map(rows.map(row => [row.id, row])).values()]
  for (;;) {
    try {
      return await inTransaction(pool, async client => await write(client, relation, last)) + rows.length - last.length
    } catch (error) {
      if (!hasSqlState(error, 'deadlock')) throw error // with another load, which goes on
    }
  }
}

async function inTransaction<T> (pool: pg.Pool, run: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken = true
  try {
    await prepare(client)
    await client.query('BEGIN')
    try {
      const result = await run(client)
      await client.query('COMMIT')
      broken = false
      return result
    } catch (error) {
      await client.query('ROLLBACK')
      broken = false
      throw error
    }
  } finally {
    client.release(broken)
  }
}

const prepared = new WeakSet<pg.PoolClient>()

/** Texts that are only passed on are not worth compressing. */
async function prepare (client: pg.PoolClient): Promise<void> {
  if (prepared.has(client)) return
  await client.query(`
    CREATE TEMPORARY TABLE loaded (id text, patient_id text, members json, resource text) ON COMMIT DELETE ROWS;
    ALTER TABLE pg_temp.loaded ALTER resource SET STORAGE EXTERNAL`)
  prepared.add(client)
}

async function write (client: pg.PoolClient, { name, columns }: Relation, rows: readonly Row[]): Promise<number> {
  // Neither byte is in JSON that was checked, nor in anything else here: nothing has to be escaped.
  const copy = client.query(copyFrom("COPY pg_temp.loaded FROM STDIN (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02', ENCODING 'UTF8')"))
  await pipeline(Readable.from(toCsv(rows), { objectMode: false }), copy)

  const given = ['id', 'patient_id', 'resource'].filter(column => columns.has(column))
  const others = [...columns.keys()].filter(column => !given.includes(column) && column !== 'updated_at').map(column =>
    pg.escapeIdentifier(column))
  const changes = ['held.resource::text IS DISTINCT FROM excluded.resource::text', ...others.map(column => `held.${column} IS NOT NULL`)]
  if (columns.has('patient_id')) changes.push('held.patient_id IS DISTINCT FROM excluded.patient_id')
  const { rowCount } = await client.query(`
    INSERT INTO source.${pg.escapeIdentifier(name)} AS held (${given.join()})
    SELECT ${given.map(column => `${column}::${columns.get(column)}`).join()} FROM pg_temp.loaded ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
      ${[...given.map(column => `${column} = excluded.${column}`), ...others.map(column => `${column} = NULL`)].join()}
    WHERE ${changes.join(' OR ')}`)
  if (name === 'patient_groups') await writeMembers(client)
  return rowCount ?? 0
}

/** The member lists of groups: members that are no longer in theirs are deleted. */
async function writeMembers (client: pg.PoolClient): Promise<void> {
  await client.query(`
    INSERT INTO source.patient_group_members AS held (id, group_id, patient_id, period_start, period_end, inactive)
    SELECT m.id, loaded.id, m.patient_id, m.period_start, m.period_end, m.inactive
    FROM pg_temp.loaded,
      json_to_recordset(members) AS m (id text, patient_id text, period_start text, period_end text, inactive boolean) ORDER BY m.id
    ON CONFLICT (id) DO UPDATE SET
      period_start = excluded.period_start, period_end = excluded.period_end, inactive = excluded.inactive, deleted_at = NULL
    WHERE (held.period_start, held.period_end, held.inactive, held.deleted_at)
      IS DISTINCT FROM (excluded.period_start, excluded.period_end, excluded.inactive, NULL::timestamptz)`)
  await client.query(`
    UPDATE source.patient_group_members SET deleted_at = clock_timestamp()
    WHERE deleted_at IS NULL AND group_id IN (SELECT id FROM pg_temp.loaded)
      AND id NOT IN (SELECT m.id FROM pg_temp.loaded, json_to_recordset(members) AS m (id text))`)
}

const chunkBytes = 256 * 1024

function * toCsv (rows: readonly Row[]): Generator<Buffer> {
  let pieces: Buffer[] = []
  let bytes = 0
  for (const { id, patientId, members, json } of rows) {
    const columns = Buffer.from(`${id}\x01${patientId ?? ''}\x01${JSON.stringify(members)}\x01`)
    pieces.push(columns, json, lineEnd)
    bytes += columns.length + json.length + lineEnd.length
    if (bytes < chunkBytes) continue
    yield Buffer.concat(pieces, bytes)
    pieces = []
    bytes = 0
  }
  yield Buffer.concat(pieces, bytes)
}

const lineEnd = Buffer.from('\n')
