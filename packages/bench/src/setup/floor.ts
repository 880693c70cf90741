import type { Pool } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { readCpuSeconds } from '../measure/cpu.ts'

/** `postgresSeconds`: of the core-seconds those of PostgreSQL. */
export interface Figures { seconds: number, coreSeconds: number, postgresSeconds: number, bytes: number }

/** The least that any export of a table must do: `COPY` its rows `TO STDOUT` without ORDER BY, read here and dropped. */
export async function readFloor (pool: Pool, relation: string, postmaster: number): Promise<Figures> {
  const client = await pool.connect()
  const before = { time: performance.now(), own: process.cpuUsage(), postgres: await readCpuSeconds(postmaster) }
  let bytes = 0
  for await (const chunk of client.query(copyTo(`COPY source.${relation} TO STDOUT`))) bytes += chunk.length
  const seconds = (performance.now() - before.time) / 1_000
  const { user, system } = process.cpuUsage(before.own)
  const postgresSeconds = await readCpuSeconds(postmaster) - before.postgres
  client.release()
  return { seconds, coreSeconds: (user + system) / 1e6 + postgresSeconds, postgresSeconds, bytes }
}
