import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '@fhir-bulk-export/core/db'
import { failPart, finishPart, handBackPart, renewPart, takePart, type Attempt, type TakenPart } from '@fhir-bulk-export/core/exports'
import type { Logger } from '@fhir-bulk-export/core/log'
import type { Kysely } from 'kysely'
import type { Config } from '../config.ts'
import { Interruption } from '../interruption.ts'
import { toPartFailure } from './part-failure.ts'
import type { Readers } from './readers.ts'
import { toReadTask } from './shared-task.ts'

const beatMs = 500
/** Attempts of others that could not be read from here: the last of them are remembered. */
const rememberedAttempts = 100

/**
 * What a worker does with the parts of large exports, its own and those of other workers (core/exports/parts.ts): it takes them as long
 * as there are any, as many at once as it has readers.
 */
export interface PartReaders {
  /** Reads parts until none waits; where all readers are at work it waits for one of them. */
  help: () => Promise<void>
  /** Has a reader that has nothing to do look for parts. */
  wake: () => void
  /** This worker runs the attempt: its parts end with `signal`. Gives what waits for those that are read here. */
  hold: (attempt: Attempt, signal: AbortSignal) => () => Promise<void>
  /** Waits for what is being read or taken. */
  close: () => Promise<void>
}

interface PartResources {
  db: Kysely<Database>
  /** A connection of its own: a heartbeat must not wait for others. */
  leases: Kysely<Database>
  readers: Readers
  /** Those that read in the same way (reader-identity.ts). */
  identity: string
  log: Logger
  config: Config
}

export function createPartReaders ({ db, leases, readers, identity, log, config }: PartResources, shutdown: AbortSignal): PartReaders {
  const waiting: Array<() => void> = []
  const held = new Map<string, AbortSignal>()
  const running = new Map<Promise<void>, string>()
  const unreadable = new Set<string>()
  const helping = new Set<Promise<void>>()
  let helpers = 0

  async function help (): Promise<void> {
    const work = readParts()
    helping.add(work)
    await work.finally(() => { helping.delete(work) })
  }

  async function readParts (): Promise<void> {
    if (helpers === readers.count) await new Promise<void>((resolve) => { waiting.push(resolve) })
    else helpers++
    try {
      while (!shutdown.aborted && await readNext());
    } finally {
      const next = waiting.shift()
      if (next === undefined) helpers--
      else next()
    }
  }

  function wake (): void {
    if (helpers < readers.count) help().catch((err: unknown) => { log.warn({ err }, 'parts could not be looked for') })
  }

  async function readNext (): Promise<boolean> {
    const part = await takePart(db, { readers: identity, leaseMs: config.EXPORT_LEASE, except: [...unreadable] })
    if (part === undefined) return false
    wake() // where there is one there may be more
    const reading = readPart(part)
    running.set(reading, toKey(part))
    try {
      await reading
    } finally {
      running.delete(reading)
    }
    return true
  }

  async function readPart (part: TakenPart): Promise<void> {
    const attempt = held.get(toKey(part))
    const lost = new AbortController()
    const over = new AbortController()
    const signal = AbortSignal.any([lost.signal, shutdown, ...(attempt === undefined ? [] : [attempt])])
    let rows = 0
    const lease = keepPart(part, () => rows, lost, over.signal)
    try {
      const result = await readers.read(toReadTask(part), (more) => { rows += more }, signal)
      const { id: exportId, n, turn } = part
      if (await finishPart(db, part, result)) log.debug({ exportId, attempt: part.attempt, part: n, turn }, 'part read')
    } catch (error) {
      await giveUp(part, error, { isStopped: signal.aborted, isOwn: attempt !== undefined })
    } finally {
      over.abort()
      await lease
    }
  }

  /** Only the attempt's own worker lets it fail: what is wrong here (the way to the store, a disk) may be right at the others. */
  async function giveUp (part: TakenPart, error: unknown, { isStopped, isOwn }: { isStopped: boolean, isOwn: boolean }): Promise<void> {
    const { id: exportId, attempt, n } = part
    if (isStopped || error instanceof Interruption) {
      await handBackPart(db, part) // refused where it is no longer ours
      return
    }
    if (isOwn) {
      log.error({ err: error, exportId, attempt, part: n }, 'a part could not be read')
      await failPart(db, part, toPartFailure(error))
      return
    }
    log.warn({ err: error, exportId, attempt, part: n }, 'a part could not be read here, and is left to other workers')
    leaveToOthers(toKey(part))
    await handBackPart(db, part)
  }

  function leaveToOthers (key: string): void {
    unreadable.add(key)
    const [oldest] = unreadable
    if (oldest !== undefined && unreadable.size > rememberedAttempts) unreadable.delete(oldest)
  }

  /** As keepLease does for an export. */
  async function keepPart (part: TakenPart, readRows: () => number, lost: AbortController, over: AbortSignal): Promise<void> {
    let renewedAt = performance.now()
    while (!over.aborted) {
      const askedAt = performance.now()
      try {
        if (!await renewPart(leases, part, config.EXPORT_LEASE, readRows())) return lost.abort(new Interruption('lost'))
        renewedAt = askedAt
      } catch (err) {
        log.warn({ err, exportId: part.id }, "a part's lease could not be renewed")
        if (performance.now() - renewedAt > config.EXPORT_LEASE) return lost.abort(new Interruption('lost'))
      }
      await delay(beatMs, undefined, { signal: over }).catch(() => {})
    }
  }

  function hold (attempt: Attempt, signal: AbortSignal): () => Promise<void> {
    const key = toKey(attempt)
    held.set(key, signal)
    return async () => {
      await Promise.allSettled([...running].filter(([, of]) => of === key).map(([reading]) => reading))
      held.delete(key)
    }
  }

  return { help, wake, hold, close: async () => { await Promise.allSettled(helping) } }
}

function toKey ({ id, attempt }: Attempt): string {
  return `${id}.${attempt}`
}
