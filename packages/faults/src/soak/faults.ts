import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '@fhir-bulk-export/core/db'
import type { Random } from '@fhir-bulk-export/stack/random'
import { sql, type Kysely } from 'kysely'
import { note, type Figures } from './figures.ts'
import type { Parts } from './parts.ts'
import type { Kept } from './processes.ts'

const shortestPauseMs = 3_000
const longestPauseMs = 12_000

interface Fault {
  name: string
  /** What it breaks: two faults at a time never break the same. */
  target: string
  run: () => Promise<void>
}

export interface Breakable { parts: Parts, db: Kysely<Database>, workers: Kept[], api: Kept, leaseMs: number }

/** Breaks something every now and then until the signal aborts; resolves when everything is given back. */
export async function injectFaults (
  breakable: Breakable, random: Random, figures: Figures, log: (line: string) => void, signal: AbortSignal
): Promise<void> {
  const broken = new Map<string, Promise<void>>()
  let deck: Fault[] = []
  for (;;) {
    await delay(random.integer(shortestPauseMs, longestPauseMs), undefined, { signal }).catch(() => {})
    if (signal.aborted) break
    if (deck.length === 0) deck = shuffle(toFaults(breakable, random), random)
    const fault = deck.pop()
    if (fault === undefined || broken.has(fault.target)) continue
    const { name, target, run } = fault
    figures.faults.set(name, (figures.faults.get(name) ?? 0) + 1)
    log(`${name} (${target})`)
    const running = run()
      .catch((error: unknown) => {
        figures.processFaults++
        note(figures, `the fault "${name}" went wrong: ${error instanceof Error ? error.message : String(error)}`)
      })
      .finally(() => {
        broken.delete(target)
        log(`${name} (${target}) is over`)
      })
    broken.set(target, running)
  }
  await Promise.all(broken.values())
}

/** A round of faults: every kind comes, and what befalls workers most comes to each of them. */
function toFaults ({ parts, db, workers, api, leaseMs }: Breakable, random: Random): Fault[] {
  const awayMs = () => random.integer(500, 8_000)
  const { emptyRedis } = parts
  const terminated = random.pick(workers)
  return [
    ...workers.map((worker): Fault => ({ name: 'worker killed', target: worker.name, run: async () => { worker.kill('SIGKILL') } })),
    ...workers.map((worker): Fault => ({
      name: 'worker paused for longer than a lease', target: worker.name,
      run: async () => { await pause(worker, random.integer(1.2 * leaseMs, 2.5 * leaseMs)) },
    })),
    { name: 'worker terminated', target: terminated.name, run: terminated.terminate },
    { name: 'API killed', target: api.name, run: async () => { api.kill('SIGKILL') } },
    { name: 'API terminated', target: api.name, run: api.terminate },
    { name: 'PostgreSQL restarted', target: 'PostgreSQL', run: async () => { await parts.restartPostgres('fast', awayMs()) } },
    { name: 'PostgreSQL crashed', target: 'PostgreSQL', run: async () => { await parts.restartPostgres('immediate', awayMs()) } },
    { name: 'PostgreSQL connections terminated', target: 'PostgreSQL', run: async () => { await terminateConnections(db) } },
    { name: 'store cut off', target: 'store', run: async () => { await parts.cutStore(awayMs()) } },
    ...(emptyRedis === undefined
      ? []
      : [{ name: 'Redis lost all it had', target: 'Redis', run: async () => { await emptyRedis(awayMs()) } }]),
  ]
}

function shuffle<T> (values: T[], random: Random): T[] {
  return values.map((value) => ({ value, at: random.next() })).toSorted((a, b) => a.at - b.at).map(({ value }) => value)
}

async function pause (worker: Kept, ms: number): Promise<void> {
  worker.kill('SIGSTOP')
  await delay(ms)
  worker.kill('SIGCONT')
}

/** Ours as well, all but the one that says so. */
async function terminateConnections (db: Kysely<Database>): Promise<void> {
  await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'
    AND pid <> pg_backend_pid()`.execute(db)
}
