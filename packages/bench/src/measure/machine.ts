import { cpus, totalmem } from 'node:os'
import type { Pool } from 'pg'

/** One line that says where the figures come from. */
export async function describeMachine (pool: Pool): Promise<string> {
  const { rows: [row] } = await pool.query<{ server_version: string }>('SHOW server_version')
  const [cpu] = cpus()
  return [`${cpus().length} × ${cpu?.model ?? 'CPU'}`, `${Math.round(totalmem() / 2 ** 30)} GiB`, `${process.platform}-${process.arch}`,
    `Node ${process.version}`, `PostgreSQL ${row?.server_version ?? '?'}`].join(', ')
}
