import pg from 'pg'

/** One statement on a connection of its own; its rows. */
export async function execute (url: string, statement: string, values: unknown[] = []): Promise<Array<Record<string, unknown>>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(statement, values)
    return rows
  } finally {
    await client.end()
  }
}

/** The URL of another database of the same server. */
export function withDatabase (url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}

/** Creates the database unless it is there; its URL. */
export async function ensureDatabase (url: string, database: string): Promise<string> {
  const [found] = await execute(url, 'SELECT 1 FROM pg_database WHERE datname = $1', [database])
  if (found === undefined) await execute(url, `CREATE DATABASE ${pg.escapeIdentifier(database)}`)
  return withDatabase(url, database)
}
