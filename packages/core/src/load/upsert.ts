import { sql } from 'kysely'
import type { QueryExecutorProvider } from 'kysely'
import { relations, type ColumnType, type Relation } from '../source/relations.ts'
import type { LoadedRow } from './rows.ts'

const casts: Record<ColumnType, string> = {
  text: 'text',
  date: 'text',
  dateTime: 'text',
  jsonb: 'jsonb',
  timestamptz: 'timestamptz',
  boolean: 'boolean',
  integer: 'integer',
}

/**
 * Inserts rows or makes those of the same id like them, not deleted; gives back how many it wrote. A row that is so
 * already is not touched: its `updated_at` tells exports that it did not change. No id may come twice.
 */
export async function upsert<R extends Relation> (db: QueryExecutorProvider, relation: R, rows: ReadonlyArray<LoadedRow<R>>): Promise<number> {
  if (rows.length === 0) return 0
  const columns = Object.entries(relations[relation]).filter(([column]) => column !== 'updated_at' && column !== 'deleted_at')
  const sorted: Array<Record<string, string | null>> = rows.toSorted((a, b) => a.id! < b.id! ? -1 : 1)
  const names = columns.map(([column]) => sql.ref(column))
  const arrays = columns.map(([column]) => sql`${sorted.map(row => row[column] ?? null)}::text[]`)
  const values = columns.map(([column, type]) => sql`given.${sql.ref(column)}::${sql.raw(casts[type])}`)
  const held = columns.map(([column]) => sql`held.${sql.ref(column)}`)
  const excluded = columns.map(([column]) => sql`excluded.${sql.ref(column)}`)
  const changes = columns.map(([column]) => sql`${sql.ref(column)} = excluded.${sql.ref(column)}`)

  const result = await sql`
    INSERT INTO ${sql.table(`source.${relation}`)} AS held (${sql.join(names)})
    SELECT ${sql.join(values)} FROM unnest(${sql.join(arrays)}) AS given (${sql.join(names)})
    ON CONFLICT (id) DO UPDATE SET ${sql.join(changes)}, deleted_at = NULL
    WHERE (${sql.join(held)}, held.deleted_at) IS DISTINCT FROM (${sql.join(excluded)}, NULL::timestamptz)`.execute(db)
  return Number(result.numAffectedRows ?? 0)
}
