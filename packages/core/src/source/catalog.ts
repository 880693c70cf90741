import { sql, type QueryExecutorProvider } from 'kysely'
import { findResourceType } from '../resources/registry.ts'
import type { ColumnForm, Columns, RelationKind, SourceRelation } from '../resources/relation.ts'
import { membersRelation, toLiveMembers } from './members.ts'
import { findProblems, findStrayProblem, type FoundColumn } from './problems.ts'

/**
 * The source: the relations (tables or views of schema `source`) that rows are read from, one per resource type. Which there are, and
 * which columns they have, is read from the database; a site configures nothing.
 */
export interface Source {
  /** In reading order: Patient first, then by type. */
  relations: SourceRelation[]
  /** The columns of patient_group_members, where that is there. */
  members?: Columns
  /** Why an export of it would be less than everything: a sentence each. */
  problems: string[]
}

interface FoundRelation { name: string, kind: RelationKind, columns: FoundColumn[] }

/** A client of `pg`, as far as it is needed here. */
interface Client { query: (text: string) => Promise<{ rows: unknown[] }> }

export async function readSource (db: QueryExecutorProvider | Client): Promise<Source> {
  // Each row is what foundRelations selects.
  const { rows } = await ('query' in db ? db.query(foundRelations) : sql.raw(foundRelations).execute(db)) as { rows: FoundRelation[] }
  return toSource(rows)
}

/** Partitions are read through their table. Their privileges are those of the role that reads. */
const foundRelations = `
  SELECT c.relname AS name,
    CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned' WHEN 'v' THEN 'view' ELSE 'other' END AS kind,
    coalesce((SELECT json_agg(json_build_object(
        'name', a.attname,
        'type', CASE WHEN b.typtype = 'e' THEN 'enum' ELSE b.typname END,
        'declared', format_type(a.atttypid, a.atttypmod),
        'isReadable', has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT')
      ) ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns
  FROM pg_catalog.pg_namespace n
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  WHERE n.nspname = 'source'
  ORDER BY c.relname`

function toSource (rows: FoundRelation[]): Source {
  const relations: SourceRelation[] = []
  const problems: string[] = []
  for (const { name, kind, columns } of rows) {
    if (name === membersRelation) continue
    const type = findResourceType(name)
    if (type === undefined) {
      problems.push(findStrayProblem(name))
    } else {
      relations.push({ type, relation: name, kind, columns: toColumns(columns) })
      problems.push(...findProblems(type, name, columns))
    }
  }
  if (relations.length === 0) problems.push('schema source has no relation of a resource type, such as source.patients')
  relations.sort((a, b) => Number(b.type === 'Patient') - Number(a.type === 'Patient') || (a.type < b.type ? -1 : 1))

  const found = rows.find(({ name }) => name === membersRelation)
  const members = found === undefined ? undefined : toColumns(found.columns)
  const groups = relations.find(({ type }) => type === 'Group')
  if (found !== undefined) problems.push(...findProblems(undefined, found.name, found.columns))
  if (found !== undefined &&
    groups === undefined) problems.push(`source.${membersRelation} belongs to source.patient_groups, which is missing`)
  if (groups !== undefined) groups.liveMembers = toLiveMembers(members, relations.find(({ type }) => type === 'Patient')?.columns)
  return { relations, problems, ...(members === undefined ? {} : { members }) }
}

/** @throws Error where there is no such relation: not to be asked for a type that the source does not have. */
export function getRelation ({ relations }: Pick<Source, 'relations'>, type: string): SourceRelation {
  const relation = relations.find((relation) => relation.type === type)
  if (relation === undefined) throw new Error(`the source has no relation of ${type}`)
  return relation
}

function toColumns (found: FoundColumn[]): Columns {
  return Object.fromEntries(found.map(({ name, type }) => [name, forms.get(type) ?? 'other']))
}

const forms: ReadonlyMap<string, ColumnForm> = new Map([
  ['text', 'text'],
  ['varchar', 'text'],
  ['json', 'json'],
  ['jsonb', 'jsonb'],
  ['timestamptz', 'timestamptz'],
  ['bool', 'boolean'],
])
