import { execFile } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { promisify } from 'node:util'
import type { Database } from '@fhir-bulk-export/core/db'
import { findKubo } from '@fhir-bulk-export/stack/kubo'
import { sql, type Kysely } from 'kysely'

/** One line that says where the figures come from. */
export async function describeMachine (db: Kysely<Database>, hasRedis: boolean, storeKind: 'folder' | 'node'): Promise<string> {
  const { rows: [row] } = await sql<{ server_version: string }>`SHOW server_version`.execute(db)
  const [cpu] = cpus()
  const queue = hasRedis ? `queue in Redis ${await readRedisVersion()}` : 'queue in PostgreSQL (no redis-server on PATH)'
  const store = storeKind === 'folder' ? 'files in a folder' : `files in Kubo ${await readKuboVersion()}`
  return [`${cpus().length} × ${cpu?.model ?? 'CPU'}`, `${Math.round(totalmem() / 2 ** 30)} GiB`, `${process.platform}-${process.arch}`,
    `Node ${process.version}`, `PostgreSQL ${row?.server_version ?? '?'}`, queue, store].join(', ')
}

async function readKuboVersion (): Promise<string> {
  const program = await findKubo()
  if (program === undefined) return '?'
  const { stdout } = await promisify(execFile)(program, ['version', '--number'])
  return stdout.trim()
}

async function readRedisVersion (): Promise<string> {
  const { stdout } = await promisify(execFile)('redis-server', ['--version'])
  return /v=(\S+)/.exec(stdout)?.[1] ?? '?'
}
