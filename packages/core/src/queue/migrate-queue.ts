import { assertSchemaCompatibility, runMigrations } from 'bullmq'
import pg from 'pg'
import { ServiceError } from '../errors.ts'
import { isPostgres } from './is-postgres.ts'

/** Makes BullMQ's own tables where the queue lives in PostgreSQL (schema `bullmq`). Redis needs none: then this does nothing. */
export async function migrateQueue (url: string, schema?: string): Promise<void> {
  if (!isPostgres(url)) return
  await withClient(url, async (client) => { await runMigrations(client, schema) })
}

/**
 * For processes that use the queue: without its tables BullMQ would ask for them for ever, as fast as it can.
 * @throws ServiceError SCHEMA_MISMATCH
 */
export async function assertQueueMigrated (url: string, schema?: string): Promise<void> {
  if (!isPostgres(url)) return
  await withClient(url, async (client) => {
    await assertSchemaCompatibility(client, schema).catch((cause: unknown) => {
      throw new ServiceError('SCHEMA_MISMATCH', "The queue's tables in QUEUE_URL are missing, or made by another version. Run the migrate command first.", { cause })
    })
  })
}

async function withClient (url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
