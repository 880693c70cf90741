import { sql, type QueryExecutorProvider } from 'kysely'
import pg from 'pg'
import { grantTo } from '../db/index.ts'
import { ServiceError } from '../errors.ts'
import { hasSqlState } from '../postgres-errors.ts'
import { readSource, type Source } from './catalog.ts'
import { membersRelation } from './members.ts'

/** What a role reads of a relation of schema `source`: all of it, unless `columns` are given. */
interface Read { relation: string, columns?: string[] }

/** The columns by which the API knows patients: whether there is one, and whether it is deleted. */
const ofPatients = ['id', 'deleted_at']

/**
 * What API and worker read of a source. The API reads patients' ids and groups, and no clinical rows.
 */
export function toReads ({ relations, members }: Source): { api: Read[], worker: Read[] } {
  const memberReads: Read[] = members === undefined ? [] : [{ relation: membersRelation }]
  const api = relations.flatMap(({ type, relation, columns }): Read[] => {
    if (type === 'Patient') return [{ relation, columns: ofPatients.filter((name) => name in columns) }]
    return type === 'Group' ? [{ relation }] : []
  })
  return { api: [...api, ...memberReads], worker: [...relations.map(({ relation }) => ({ relation })), ...memberReads] }
}

/** What GRANT and TO enclose. */
function toPrivilege ({ relation, columns }: Read): string {
  return `SELECT ${columns === undefined ? '' : `(${columns.join(', ')}) `}ON source.${relation}`
}

const ofSchema = 'USAGE ON SCHEMA source'

/**
 * Grants these to `role`, as far as the role of this connection may, and gives the GRANTs that are left to the owners of the rest.
 * What `role` has already, directly or by another role, is not granted again. Throws where there is no schema source.
 */
export async function grantReads (db: QueryExecutorProvider, role: string, reads: Read[]): Promise<string[]> {
  for (const privilege of await findMissing(db, role, reads)) await grantTo(db, role, [privilege]).catch(ignoreRefusal)
  return toGrants(await findMissing(db, role, reads), role)
}

/** So that `role` reads what the role of this connection makes in schema source from now on, as `load` makes tables. */
export async function grantReadsOfNew (db: QueryExecutorProvider, role: string): Promise<void> {
  await sql`ALTER DEFAULT PRIVILEGES IN SCHEMA source GRANT SELECT ON TABLES TO ${sql.id(role)}`.execute(db).catch(ignoreRefusal)
}

/**
 * That the API may read what it looks for in the source when it is asked. A source that is not there yet has nothing to be read.
 * @throws ServiceError GRANT_MISSING that says each GRANT.
 */
export async function assertApiReads (db: QueryExecutorProvider): Promise<void> {
  const reads = toReads(await readSource(db)).api
  const { rows: [self] } = await sql<{ role: string }>`SELECT current_user AS role`.execute(db)
  if (self === undefined || reads.length === 0) return
  const grants = toGrants(await findMissing(db, self.role, reads), self.role)
  if (grants.length > 0) {
    throw new ServiceError('GRANT_MISSING', `The API may not read all that it needs of the source:\n${grants.join('\n')}`)
  }
}

function toGrants (privileges: string[], role: string): string[] {
  return privileges.map((privilege) => `GRANT ${privilege} TO ${pg.escapeIdentifier(role)};`)
}

/** What `role` lacks of these, as GRANT has it. */
async function findMissing (db: QueryExecutorProvider, role: string, reads: Read[]): Promise<string[]> {
  const {
    rows: [schema],
  } = await sql<{ isHeld: boolean }>`SELECT has_schema_privilege(${role}::name, 'source', 'USAGE') AS "isHeld"`.execute(db)
  const missing = schema?.isHeld === true ? [] : [ofSchema]
  for (const read of reads) {
    // By its number: the name of a relation can be looked up by those alone that may use its schema.
    const { rows: [found] } = await sql<{ isHeld: boolean }>`
      SELECT CASE WHEN ${read.columns === undefined}::boolean THEN has_table_privilege(${role}::name, oid, 'SELECT')
        ELSE (SELECT bool_and(has_column_privilege(${role}::name, oid, name, 'SELECT'))
          FROM unnest(${read.columns ?? []}::text[]) AS name) END AS "isHeld"
      FROM pg_class WHERE relname = ${read.relation} AND relnamespace = 'source'::regnamespace`.execute(db)
    if (found?.isHeld !== true) missing.push(toPrivilege(read))
  }
  return missing
}

/** The relation's owner has to grant what this role may not. */
function ignoreRefusal (error: unknown): void {
  if (!hasSqlState(error, 'insufficientPrivilege')) throw error
}
