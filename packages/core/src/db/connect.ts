import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Database } from './database.ts'

/** `application_name` of every session that holds a snapshot: the oldest open transaction is looked for without these. */
export const snapshotApplicationName = 'fhir-bulk-export-snapshot'

export interface ConnectOptions {
  applicationName: string
  /** Connections at most. */
  max?: number
  /** Longest time a statement may take; unlimited unless given. */
  statementTimeoutMs?: number
  onError: (error: Error) => void
}

/** A pool of connections; nothing is connected before the first query. `onError` hears of idle connections that break. */
export function createPool (url: string, { applicationName, max = 10, statementTimeoutMs, onError }: ConnectOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    max,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    // The server gives up first; the client does when nothing comes from the server any more.
    ...(statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs, query_timeout: statementTimeoutMs + 1_000 }),
    types: { getTypeParser: typeParser },
  })
  pool.on('error', onError)
  return pool
}

export function createDatabase (url: string, options: ConnectOptions): Kysely<Database> {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool: createPool(url, options) }) })
}

/** Counts and sizes are bigint in PostgreSQL; ours stay far below 2^53. */
function typeParser (oid: number, format?: 'text' | 'binary') {
  if (oid === pg.types.builtins.INT8) return Number
  return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text')
}
