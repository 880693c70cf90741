import { sql } from 'kysely'
import type { QueryExecutorProvider } from 'kysely'
import { relations, type ColumnType } from './relations.ts'

/** PostgreSQL types whose text form is what the serializers read as that column's. */
const fitting: Record<ColumnType, readonly string[]> = {
  text: ['text', 'varchar', 'enum'],
  date: ['text', 'varchar', 'date'],
  dateTime: ['text', 'varchar', 'date', 'timestamptz'],
  timestamptz: ['timestamptz'],
  boolean: ['bool'],
  integer: ['int4', 'int2', 'int8'],
  jsonb: ['jsonb', 'json'],
}

interface Found {
  relation: string
  column: string | null
  type: string | null
  /** as `format_type` spells it */
  declared: string | null
  readable: boolean
}

/**
 * Compares schema `source` with what an export reads: a sentence for every relation or column that is missing, of another
 * type, or not readable by this role; none if all is well. Tables, views, materialized views and foreign tables will do.
 */
export async function findSourceProblems (db: QueryExecutorProvider): Promise<string[]> {
  const { rows } = await sql<Found>`
    SELECT c.relname AS relation, a.attname AS column,
      CASE WHEN b.typtype = 'e' THEN 'enum' ELSE b.typname END AS type,
      format_type(a.atttypid, a.atttypmod) AS declared,
      has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT') AS readable
    FROM pg_catalog.pg_namespace n
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
    WHERE n.nspname = 'source'`.execute(db)

  const present = new Set(rows.map(row => row.relation))
  const columns = new Map(rows.map(row => [`${row.relation}.${row.column}`, row]))

  return Object.entries(relations).flatMap(function findProblems ([relation, expected]) {
    if (!present.has(relation)) return [`source.${relation} is missing`]
    return Object.entries(expected).flatMap(([column, type]) => problemOf(`${relation}.${column}`, column, type, columns))
  })
}

function problemOf (name: string, column: string, expected: ColumnType, columns: Map<string, Found>): string[] {
  const found = columns.get(name)
  if (found === undefined) return [`source.${name} is missing`]
  const isId = column === 'id' || column.endsWith('_id')
  if (!fitting[expected].includes(found.type ?? '') && !(isId && found.type === 'uuid')) {
    return [`source.${name} is ${found.declared}, not ${describe(expected)}`]
  }
  return found.readable ? [] : [`source.${name} may not be read by this role: GRANT USAGE on the schema and SELECT on the relation`]
}

function describe (type: ColumnType): string {
  if (type === 'date') return 'text or date'
  return type === 'dateTime' ? 'text or timestamptz' : type
}
