import { once } from 'node:events'
import { createPostgresBackend, createRedisBackend, type BackendFactory, type ConnectionOptions, type IQueueBackend } from 'bullmq'
import pg, { type ClientBase } from 'pg'
import { prepareSession, toStartupOptions } from '../db/session.ts'
import { isPostgres } from './is-postgres.ts'
import { createRedis } from './redis.ts'

/**
 * The queue is a doorbell: a job says "there may be work on this export", its id is the export's id, and it holds
 * nothing else but its trace. The export's row decides which attempt may run it, how often and when (vocabulary.ts), so
 * BullMQ is kept from deciding anything: one attempt, stalls without number, nothing kept.
 */
export const exportQueueName = 'fhir-bulk-export'
/**
 * A second queue, which asks workers to read parts of running exports (exports/parts.ts): in the first, an older version's worker would
 * take these jobs for exports that do not exist.
 */
export const partQueueName = 'fhir-bulk-export-parts'
type QueueName = typeof exportQueueName | typeof partQueueName

/** A client waits for its kick-off in the meantime. */
export const defaultDeadlineMs = 1_000
/** A connection that gave no answer for so long is closed. */
const silenceMs = 20_000

export interface QueueConnectOptions {
  /** Default: the queue of exports. */
  name?: QueueName
  /** Keeps environments that share one Redis apart. */
  prefix?: string
  /** How long a producer waits for the server. Default: a second. */
  deadlineMs?: number
  onError: (error: Error) => void
}

type Backend = BackendFactory<IQueueBackend, ConnectionOptions>

interface Connection {
  options: { connection: ConnectionOptions, prefix?: string }
  backend: Backend
  /** Rejects in time where there is no connection, and BullMQ would wait for one. */
  ready: () => Promise<void>
  /** Rejects unless the server takes writes. */
  assertWrites: (queue: { removeRateLimitKey: () => Promise<unknown> }) => Promise<unknown>
  close: () => void
}

/** To the server of the URL, as BullMQ takes it. */
export function connect (
  url: string, { prefix, deadlineMs = defaultDeadlineMs, onError }: QueueConnectOptions, { isProducer }: { isProducer: boolean }
): Connection {
  if (isPostgres(url)) {
    const verify = (client: ClientBase, done: (error?: Error) => void) => {
      client.on('error', () => {}) // BullMQ's pool listens to idle connections alone: one that is cut would end the process
      prepareSession(client, { searchPath: 'bullmq' }).then(() => { done() }, done)
    }
    const config = {
      connectionString: url, keepAlive: true, connectionTimeoutMillis: defaultDeadlineMs * 5, query_timeout: silenceMs,
      verify, options: toStartupOptions(),
    }
    // A worker listens on a connection of its own, which BullMQ takes from a pool that it is given. One that it makes itself is not
    // verified: at a standby, which refuses LISTEN, it would stay for ever, and the worker would never take a job.
    const pool = isProducer ? undefined : new pg.Pool(config)
    // BullMQ types a queue by its backend's own options; here the backend is chosen while the program runs.
    return {
      options: { connection: (pool ?? config) as ConnectionOptions }, backend: createPostgresBackend as unknown as Backend,
      ready: async () => {}, assertWrites: async (queue) => await queue.removeRateLimitKey(), close: () => { pool?.end().catch(onError) },
    }
  }
  // A producer fails at once while Redis is down; a worker waits for it (BullMQ wants null there).
  const redis = createRedis(url, isProducer
    ? { enableOfflineQueue: false, maxRetriesPerRequest: 1, connectTimeout: deadlineMs, socketTimeout: silenceMs, reconnectOnError }
    : { maxRetriesPerRequest: null, socketTimeout: silenceMs, reconnectOnError })
  redis.on('error', onError)
  return {
    options: { connection: redis, ...(prefix === undefined ? {} : { prefix }) },
    backend: createRedisBackend,
    assertWrites: async () => await redis.set(`${prefix ?? 'bull'}:${exportQueueName}:ready`, '', 'PX', 1_000),
    ready: async () => { if (redis.status !== 'ready') await once(redis, 'ready', { signal: AbortSignal.timeout(deadlineMs) }) },
    close: () => { redis.disconnect() },
  }
}

/** A Redis that has become a replica keeps its connections, and answers: the address may lead elsewhere by now. */
function reconnectOnError ({ message }: Error): boolean {
  return /^(READONLY|MASTERDOWN)\b/.test(message)
}
