import { sql, type Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { ServiceError } from '../errors.ts'
import type { Database } from './database.ts'
import { migrations } from './migrations/index.ts'
import { migrations as sourceMigrations } from './source-migrations/index.ts'

/** `service`: the export tables. `source`: tables to load resources into, for sites that have none of their own. */
export type MigrationSet = 'service' | 'source'

const sets = {
  service: { migrations, table: 'bulk_export_migration' },
  source: { migrations: sourceMigrations, table: 'source_migration' },
} as const satisfies Record<MigrationSet, { migrations: Record<string, Migration>, table: string }>

function createMigrator (db: Kysely<Database>, set: MigrationSet): Migrator {
  return new Migrator({
    db,
    provider: { getMigrations: async () => sets[set].migrations },
    migrationTableName: sets[set].table,
    migrationLockTableName: `${sets[set].table}_lock`,
  })
}

/**
 * Brings the set up to date, safely when several processes do so at once; returns the names of what was applied.
 * @throws ServiceError SCHEMA_MISMATCH
 */
export async function migrate (db: Kysely<Database>, set: MigrationSet): Promise<string[]> {
  const { error, results } = await createMigrator(db, set).migrateToLatest()
  if (error !== undefined) throw new ServiceError('SCHEMA_MISMATCH', `The ${set} migrations failed`, { cause: error })
  return (results ?? []).map(({ migrationName }) => migrationName)
}

/**
 * For processes that use the tables and do not make them.
 * @throws ServiceError SCHEMA_MISMATCH when migrations are missing, or when the database knows newer ones than we do.
 */
export async function assertMigrated (db: Kysely<Database>): Promise<void> {
  const applied = await findApplied(db, sets.service.table)
  const pending = Object.keys(migrations).filter((name) => !applied.includes(name))
  const unknown = applied.filter((name) => !(name in migrations))
  if (unknown.length > 0) {
    throw new ServiceError('SCHEMA_MISMATCH',
      `The database is newer than this version of the service: it has ${unknown.join(', ')}. Deploy the newer version.`)
  }
  if (pending.length > 0) {
    throw new ServiceError('SCHEMA_MISMATCH', `The database lacks ${pending.join(', ')}. Run the migrate command first.`)
  }
}

async function findApplied (db: Kysely<Database>, table: string): Promise<string[]> {
  const { rows: [found] } = await sql<{ oid: string | null }>`SELECT to_regclass(${table}) AS oid`.execute(db)
  if (found?.oid == null) return []
  const { rows } = await sql<{ name: string }>`SELECT name FROM ${sql.table(table)}`.execute(db)
  return rows.map(({ name }) => name)
}
