import { Socket } from 'node:net'
import { Kysely, PostgresDialect } from 'kysely'
import pg, { type PoolClient } from 'pg'
import { hasSqlState } from '../postgres-errors.ts'
import type { Database } from './database.ts'
import { prepareSession, toStartupOptions } from './session.ts'

/** `application_name` of every session that holds a snapshot: the oldest open transaction is looked for without these. */
export const snapshotApplicationName = 'fhir-bulk-export-snapshot'

/** By the name of the application. */
export type Pools = Map<string, pg.Pool>

export interface ConnectOptions {
  applicationName: string
  max?: number
  /** Unlimited unless given. The server stops a statement then, and a connection to a silent server is closed. */
  statementTimeoutMs?: number
  /** Longest time between two statements of a transaction; unlimited unless given. */
  idleInTransactionTimeoutMs?: number
  /** It only reads: a standby will do. */
  acceptsStandby?: boolean
  /** The pool is added to these. */
  pools?: Pools | undefined
  /** Makes a connection's socket, which TLS then wraps. */
  toSocket?: () => Socket
  onError: (error: Error) => void
}

/** Who only reads, for any time, misses a server that is gone some seconds after this. Linux by itself asks after two hours. */
const keepAliveMs = 30_000

/** A pool of connections; nothing is connected before the first query. `onError` hears of idle connections that break. */
export function createPool (url: string, options: ConnectOptions): pg.Pool {
  const { applicationName, max = 10, statementTimeoutMs, idleInTransactionTimeoutMs, pools, toSocket, onError } = options
  const { acceptsStandby = false } = options
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    max,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    options: toStartupOptions(statementTimeoutMs),
    ...(toSocket === undefined ? {} : { stream: toSocket }),
    ...(statementTimeoutMs === undefined ? {} : toLimits(statementTimeoutMs)),
    verify: (client, done) => {
      prepareSession(client, { statementTimeoutMs, idleInTransactionTimeoutMs, acceptsStandby }).then(() => { done() }, done)
    },
    types: { getTypeParser: typeParser },
  })
  pool.on('error', onError)
  pools?.set(applicationName, pool)
  // The next statement fails on a connection that broke between two. Without a listener the event would end the process.
  pool.on('connect', (client) => { client.on('error', () => {}) })
  giveUpReadOnly(pool)
  return pool
}

/** A server that takes no writes any more keeps its connections. They are given up with the first write that it refuses. */
function giveUpReadOnly (pool: pg.Pool): void {
  const refused = new WeakSet<PoolClient>()
  pool.on('connect', (client) => {
    const { connection } = client as PoolClient & { connection: NodeJS.EventEmitter } // pg's types leave it out
    connection.on('errorMessage', (error: unknown) => { if (hasSqlState(error, 'readOnlyTransaction')) refused.add(client) })
  })
  pool.on('release', (_error, client) => {
    if (refused.has(client)) client.end().catch(() => {})
  })
}

/** A process that is paused or cut off in a transaction must not keep its locks. */
const idleInTransactionTimeoutMs = 5_000

export function createDatabase (url: string, options: ConnectOptions): Kysely<Database> {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool: createPool(url, { idleInTransactionTimeoutMs, ...options }) }) })
}

/**
 * The server stops a statement first. When it is silent the socket is closed: pg's `query_timeout` would give up the statement alone,
 * and the next user of that connection would wait for the same answer.
 */
function toLimits (statementTimeoutMs: number) {
  return {
    // Shorter than the socket's time, so that no idle connection breaks.
    idleTimeoutMillis: Math.min(10_000, statementTimeoutMs),
    stream: () => {
      const socket = new Socket()
      return socket.setTimeout(statementTimeoutMs + 1_000,
        () => { socket.destroy(Object.assign(new Error('PostgreSQL gave no answer'), { code: 'ETIMEDOUT' })) })
    },
  }
}

/** Counts and sizes are bigint in PostgreSQL; ours stay far below 2^53. */
function typeParser (oid: number, format?: 'text' | 'binary') {
  if (oid === pg.types.builtins.INT8) return Number
  return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text')
}
