import { assertSchemaCompatibility, runMigrations } from 'bullmq'
import pg from 'pg'
import { ServiceError } from '../errors.ts'
import { assertOwnSessions } from '../db/pooler.ts'
import { prepareSession } from '../db/session.ts'
import { isPostgres } from './is-postgres.ts'
import { createRedis, isUnknownMaster } from './redis.ts'

const answerMs = 2_000

/** Makes BullMQ's own tables where the queue lives in PostgreSQL (schema `bullmq`). Redis needs none: then this does nothing. */
export async function migrateQueue (url: string, schema?: string): Promise<void> {
  if (!isPostgres(url)) return
  await withClient(url, async (client) => { await runMigrations(client, schema) })
}

/** Of a queue in PostgreSQL, what API and worker may do with its tables. */
export const queueGrants = [
  'USAGE ON SCHEMA bullmq',
  'SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bullmq',
  'USAGE ON ALL SEQUENCES IN SCHEMA bullmq',
] as const

/** Repeatable; nothing for Redis. */
export async function grantQueue (url: string, role: string): Promise<void> {
  if (!isPostgres(url)) return
  await withClient(url, async (client) => {
    for (const privilege of queueGrants) await client.query(`GRANT ${privilege} TO ${pg.escapeIdentifier(role)}`)
  })
}

/**
 * For processes that use the queue. In PostgreSQL: without its tables BullMQ would ask for them for ever, as fast as it can. In Redis: a
 * node of a cluster sends a queue's keys to several nodes, and no worker gets a job there; and a node that refuses the password
 * would be waited for without end. A Redis that is away is no reason to refuse: exports wait for it.
 * @throws ServiceError SCHEMA_MISMATCH, SETTING_REFUSED
 */
export async function assertQueueUsable (url: string, schema?: string): Promise<void> {
  if (!isPostgres(url)) return await assertRedisUsable(url)
  await assertOwnSessions(url)
  await withClient(url, async (client) => {
    await assertSchemaCompatibility(client, schema).catch((cause: unknown) => {
      throw new ServiceError('SCHEMA_MISMATCH',
        "The queue's tables in QUEUE_URL are missing, or made by another version. Run the migrate command first.", { cause })
    })
  })
}

async function assertRedisUsable (url: string): Promise<void> {
  if (await isUnknownMaster(url, answerMs)) {
    throw new ServiceError('SETTING_REFUSED',
      'The sentinels of QUEUE_URL do not know the master that it names (redis+sentinel://host:26379/master).')
  }
  const once = { retryStrategy: () => null, sentinelRetryStrategy: () => null }
  const redis = createRedis(url, { ...once, lazyConnect: true, connectTimeout: answerMs, commandTimeout: answerMs })
  redis.on('error', () => {})
  const info = await redis.info('cluster').catch((error: unknown) => error instanceof Error ? error.message : '')
  redis.disconnect()
  if (/^(NOAUTH|WRONGPASS)\b/.test(info)) {
    throw new ServiceError('SETTING_REFUSED',
      'Redis refuses the password of QUEUE_URL (redis://:password@host:6379).')
  }
  if (info.includes('cluster_enabled:1')) {
    throw new ServiceError('SETTING_REFUSED',
      'QUEUE_URL is a node of a Redis Cluster. The queue needs a Redis that holds all keys itself (with replicas, if you like).')
  }
}

async function withClient (url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await prepareSession(client)
    await work(client)
  } finally {
    await client.end()
  }
}
