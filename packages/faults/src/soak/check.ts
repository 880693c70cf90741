import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '@fhir-bulk-export/core/db'
import { toFileKey, type ContentStore } from '@fhir-bulk-export/core/store'
import { sql, type Kysely } from 'kysely'
import type { Kept } from './processes.ts'
import { persistently } from './watch.ts'

const lookEveryMs = 1_000
/** A worker that has just begun cleans up within this time. */
const cleanupMs = 30_000

/** What is still there when everything has expired and was cleaned up. */
export interface Rest {
  /** Exports that have not ended, those of kick-offs whose 202 never arrived among them. */
  unended: string[]
  /** What the store keeps under our keys and no live row of the ledger names. */
  orphans: string[]
  /** Exports and files that expired and are still known. */
  left: string[]
}

/** Waits for all exports to end and expire; then a worker begins anew, and with a cleanup, until nothing is left or the time is up. */
export async function comeToRest (
  { db, store, workers }: { db: Kysely<Database>, store: ContentStore, workers: Kept[] }, signal: AbortSignal
): Promise<Rest> {
  const look = async () => await persistently(async () => await findRest(db, store), signal)
  try {
    for (;;) {
      while (await persistently(async () => await isExpected(db), signal)) await delay(lookEveryMs, undefined, { signal })
      await workers[0]?.terminate()
      const until = performance.now() + cleanupMs
      while (performance.now() < until) {
        const { unended, orphans, left } = await look()
        if (unended.length + orphans.length + left.length === 0) return { unended, orphans, left }
        await delay(lookEveryMs, undefined, { signal })
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
    return await findRest(db, store)
  }
}

/** Whether something runs, has still to expire, or is held by a download (of an API that was killed: for two minutes). */
async function isExpected (db: Kysely<Database>): Promise<boolean> {
  const { rows: [row] } = await sql<{ is_expected: boolean }>`SELECT
    EXISTS (SELECT FROM bulk_export_jobs WHERE ended_at IS NULL OR expires_at > now())
    OR EXISTS (SELECT FROM bulk_export_downloads WHERE lease_until > now()) AS is_expected`.execute(db)
  return row?.is_expected ?? true
}

async function findRest (db: Kysely<Database>, store: ContentStore): Promise<Rest> {
  const exports = await db.selectFrom('bulk_export_jobs').select(['id', 'status', 'ended_at']).execute()
  const kept: string[] = []
  for await (const { key } of store.list()) kept.push(key)
  const files = await db.selectFrom('bulk_export_files').selectAll().where('state', '<>', 'dropped').execute()
  const known = new Set(files.map(toFileKey))
  return {
    unended: exports.filter(({ ended_at: at }) => at === null).map(({ id }) => id),
    orphans: kept.filter((key) => !known.has(key)),
    left: [...exports.filter(({ ended_at: at }) => at !== null).map(({ id, status }) => `${id} (${status})`), ...known],
  }
}
