import pg from 'pg'
import { ServiceError } from '../errors.ts'
import { toStartupOptions } from './session.ts'

/** Until a pooler that has no other connection is no longer waited for. */
const answerMs = 2_000
/** With others at work one is not sure to be given another server's connection at once. */
const rounds = 5

/**
 * Our sessions are set once (db/session.ts), hold locks and export snapshots: a pooler has to leave each of them to one connection for as
 * long as it lasts. PgBouncer does in session mode. In transaction or statement mode it would mix their settings with those of others.
 * @throws ServiceError SETTING_REFUSED
 */
export async function assertOwnSessions (url: string): Promise<void> {
  const clients: pg.Client[] = []
  const open = async () => {
    // As our pools do it: a pooler that does not know this parameter refuses it.
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, options: toStartupOptions() })
    client.on('error', () => {})
    await client.connect().catch(refuseParameter)
    clients.push(client)
    return client
  }
  try {
    const own = await open()
    const server = await findServer(own)
    const { processID } = own as pg.Client & { processID: number } // pg's types leave it out
    if (processID === server) return // it was the server itself that logged us in
    for (let round = 0; round < rounds; round++) {
      // In transaction mode this one takes the connection that has just been ours.
      const other = await open()
      await within(other.query('BEGIN').then(async () => await findServer(other)))
      const now = await within(findServer(own))
      if (now !== undefined && now !== server) throw mixed()
    }
  } finally {
    for (const client of clients) void client.end().catch(() => {})
  }
}

async function findServer (client: pg.Client): Promise<number | undefined> {
  const { rows: [row] } = await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid')
  return row?.pid
}

/** Undefined: no answer in time, which is no transaction mode. */
async function within<T> (work: Promise<T>): Promise<T | undefined> {
  const { promise: expired, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, answerMs, undefined)
  work.catch(() => {}) // of a connection that is closed while it waits
  try {
    return await Promise.race([work, expired])
  } finally {
    clearTimeout(timer)
  }
}

function mixed (): ServiceError {
  return new ServiceError('SETTING_REFUSED',
    'The pooler in front of PostgreSQL gives the statements of a session to different connections ' +
    '(PgBouncer: pool_mode is transaction or statement). ' +
    'A session needs one of its own: set pool_mode = session for this database, or connect to PostgreSQL itself.')
}

/** 08P01, protocol_violation. */
function refuseParameter (cause: unknown): never {
  if (cause instanceof Error && 'code' in cause && cause.code === '08P01' && cause.message.includes('startup parameter')) {
    throw new ServiceError('SETTING_REFUSED',
      `The pooler in front of PostgreSQL refuses a session (${cause.message}). PgBouncer: set ignore_startup_parameters = options.`,
      { cause })
  }
  throw cause
}
