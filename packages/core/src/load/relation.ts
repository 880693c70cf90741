import type pg from 'pg'
import { ServiceError } from '../errors.ts'
import { hasSqlState } from '../postgres-errors.ts'
import { toRelation } from '../resources/index.ts'

/** Where a type's rows are: its name, and the type of each column that can be written. */
export interface Relation { readonly name: string, readonly columns: ReadonlyMap<string, string> }

/**
 * The relation of a type; makes it where the source has none.
 * @throws ServiceError SOURCE_MISMATCH where it cannot hold resources.
 */
export async function openRelation (pool: pg.Pool, type: string): Promise<Relation> {
  const name = toRelation(type)
  let columns = await readColumns(pool, name)
  if (columns.size === 0) {
    await pool.query('SELECT source.create_relation($1)', [name]).catch(function explain (cause: unknown): never {
      if (!hasSqlState(cause, 'undefinedFunction', 'invalidSchemaName')) throw cause
      throw new ServiceError('SOURCE_MISMATCH', `source.${name} is missing, and nothing makes it: run \`migrate --source\` first.`,
        { cause })
    })
    columns = await readColumns(pool, name)
  }
  if (!columns.has('resource')) {
    throw new ServiceError('SOURCE_MISMATCH', `source.${name} has no column resource: run \`migrate --source\` first.`)
  }
  return { name, columns }
}

async function readColumns (pool: pg.Pool, relation: string): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ name: string, type: string }>(`
    SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_catalog.pg_attribute
    WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`, [`source.${relation}`])
  return new Map(rows.map(({ name, type }) => [name, type]))
}
