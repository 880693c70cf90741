import { execute } from '../sql.ts'
import type { ColumnTypes } from './read-table-types.ts'

const anyInterface = 'an interface'

/** What pg hands out for each type, with bigint as core/src/db/connect.ts parses it. */
const typesOf: Record<string, string> = {
  uuid: 'string',
  text: 'string',
  'text[]': 'string[]',
  'uuid[]': 'string[]',
  smallint: 'number',
  integer: 'number',
  bigint: 'number',
  boolean: 'boolean',
  bytea: 'Buffer',
  jsonb: anyInterface,
  'timestamp with time zone': 'Date',
}

interface Column { name: string, declared: string, nullable: boolean, optional: boolean, values: string[] | null }

/** Where the tables of schema `public` are not what their types say, a sentence each. The Migrator's own are left out. */
export async function findDrift (databaseUrl: string, types: ReadonlyMap<string, ColumnTypes>): Promise<string[]> {
  const columns = new Map((await readColumns(databaseUrl)).map(column => [column.name, column]))
  const missing = [...types.keys()].filter(name => !columns.has(name)).map(
    name => `${name} has a type, and the migrated database has no such column`
  )
  return [...missing, ...[...columns.values()].flatMap(column => compare(column, types.get(column.name)))]
}

function compare ({ name, declared, nullable, optional, values }: Column, types: ColumnTypes | undefined): string[] {
  if (types === undefined) return [`${name} is in the migrated database, and has no type in packages/core/src/db/tables`]
  const expected = typesOf[declared]
  const problems = [
    expected === undefined && `${name} is ${declared}, for which packages/stack/src/schema/find-drift.ts knows no type`,
    expected !== undefined && !fits(expected, types.type) && `${name} is ${declared}, and its type ${types.type}`,
    nullable !== types.nullable && `${name} ${nullable ? 'may be null' : 'is NOT NULL'}, and its type says otherwise`,
    optional !== types.optional && `${name} ${optional ? 'may' : 'must not'} be left out of an INSERT, and its type says otherwise`,
    String(values?.toSorted() ?? '') !== String(types.values?.toSorted() ?? '') &&
      `${name} may be ${values?.join(', ') ?? 'any text'} by its CHECK, and ${types.values?.join(', ') ?? 'any text'} by its type`,
  ]
  return problems.filter(problem => problem !== false)
}

function fits (expected: string, type: string): boolean {
  return expected === anyInterface ? /^[A-Z]\w*$/.test(type) && !['Date', 'Buffer'].includes(type) : expected === type
}

async function readColumns (databaseUrl: string): Promise<Column[]> {
  const rows = await execute(databaseUrl, `
    SELECT c.relname || '.' || a.attname AS name, format_type(a.atttypid, NULL) AS declared, NOT a.attnotnull AS nullable,
      NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '' AS optional,
      (SELECT pg_get_constraintdef(o.oid) FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype = 'c' AND o.conkey = ARRAY[a.attnum]
         AND pg_get_constraintdef(o.oid) LIKE '%= ANY (ARRAY[%') AS check
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relname !~ '_migration(_lock)?$'
    ORDER BY c.relname, a.attnum`)
  return rows.map(({ name, declared, nullable, optional, check }) => ({
    name: String(name),
    declared: String(declared),
    nullable: nullable === true,
    optional: optional === true,
    values: typeof check === 'string' ? [...check.matchAll(/'([^']*)'::text/g)].map(([, value]) => String(value)) : null,
  }))
}
