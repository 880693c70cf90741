import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { Database } from './database.ts'

/** Rows of one statement: far below what its time-out allows, and locks for a moment only. */
export const batchSize = 1_000

/** Runs `batch` until it had less to do than a whole one. Returns how many rows it was in all. */
export async function inBatches (batch: () => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const done = await batch()
    total += done
    if (done < batchSize) return total
  }
}

/** Deletes every row that `condition` is true of, a statement a batch; rows that another session has locked are left out. */
export async function deleteInBatches (db: Kysely<Database>, table: RawBuilder<unknown>, condition: RawBuilder<unknown>): Promise<number> {
  return await inBatches(async () => await run(db, sql`DELETE FROM ${table} WHERE ${batchOf(table, condition)}`))
}

/** As deleteInBatches. `values` have to make `condition` false. */
export async function updateInBatches (
  db: Kysely<Database>, table: RawBuilder<unknown>, values: RawBuilder<unknown>, condition: RawBuilder<unknown>
): Promise<number> {
  return await inBatches(async () => await run(db, sql`UPDATE ${table} SET ${values} WHERE ${batchOf(table, condition)}`))
}

/** ARRAY makes PostgreSQL look for the batch once and fetch its rows by their ctid. */
export function batchOf (table: RawBuilder<unknown>, condition: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${batchSize} FOR UPDATE SKIP LOCKED))`
}

async function run (db: Kysely<Database>, statement: RawBuilder<unknown>): Promise<number> {
  const { numAffectedRows = 0n } = await statement.execute(db)
  return Number(numAffectedRows)
}
