import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/**
 * Writes the rows of each `<relation>.csv` of a folder into the columns of the relation in schema `source`, all or none: as a hospital
 * fills its own tables, with nothing in between. A file's first line names its columns. Returns how many rows there are, by relation.
 */
export async function copyRows (databaseUrl: string, folder: string): Promise<Record<string, number>> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.csv')).sort()
  const counts: Record<string, number> = {}
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query('BEGIN')
    for (const name of files) {
      const path = join(folder, name)
      const relation = basename(name, '.csv')
      const columns = (await readFirstLine(path)).split(',').map((column) => pg.escapeIdentifier(column))
      const rows = client.query(copyFrom(
        `COPY source.${pg.escapeIdentifier(relation)} (${columns.join(', ')}) FROM STDIN (FORMAT csv, HEADER, ENCODING 'UTF8')`
      ))
      await pipeline(createReadStream(path), rows)
      counts[relation] = rows.rowCount
    }
    await client.query('COMMIT')
  } finally {
    await client.end()
  }
  return counts
}

async function readFirstLine (path: string): Promise<string> {
  const input = createReadStream(path)
  try {
    const { value } = await createInterface({ input })[Symbol.asyncIterator]().next()
    return value ?? ''
  } finally {
    input.destroy()
  }
}
