import { takePart, type Attempt } from '@fhir-bulk-export/core/exports'
import { readTakenPart, type PartResources } from './taken-part.ts'

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
  /** This worker runs the attempt: its parts end with `signal`. `onEnd` hears of each that ended here. Gives what waits for those. */
  hold: (attempt: Attempt, signal: AbortSignal, onEnd: () => void) => () => Promise<void>
  /** Waits for what is being read or taken. */
  close: () => Promise<void>
}

/** `identity`: of the workers that read in the same way (reader-identity.ts). */
export function createPartReaders (resources: PartResources & { identity: string }, shutdown: AbortSignal): PartReaders {
  const { db, readers, identity, log, config } = resources
  const waiting: Array<() => void> = []
  const held = new Map<string, { signal: AbortSignal, onEnd: () => void }>()
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
    const key = toKey(part)
    const attempt = held.get(key)?.signal
    const reading = readTakenPart(resources, part, { attempt, shutdown, leaveToOthers: () => { leaveToOthers(key) } })
    running.set(reading, key)
    try {
      await reading
    } finally {
      running.delete(reading)
      held.get(key)?.onEnd()
    }
    return true
  }

  function leaveToOthers (key: string): void {
    unreadable.add(key)
    const [oldest] = unreadable
    if (oldest !== undefined && unreadable.size > rememberedAttempts) unreadable.delete(oldest)
  }

  function hold (attempt: Attempt, signal: AbortSignal, onEnd: () => void): () => Promise<void> {
    const key = toKey(attempt)
    held.set(key, { signal, onEnd })
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
