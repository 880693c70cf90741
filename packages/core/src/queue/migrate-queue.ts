import { runMigrations } from 'bullmq'
import pg from 'pg'

/** Makes BullMQ's own tables where the queue lives in PostgreSQL (schema `bullmq`). Redis needs none: then this does nothing. */
export async function migrateQueue (url: string, schema?: string): Promise<void> {
  if (!url.startsWith('postgres')) return
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await runMigrations(client, schema)
  } finally {
    await client.end()
  }
}
