import { takePart, type Attempt } from '@fhir-bulk-export/core/exports'
import type { ReadPart, Readers } from './readers.ts'
import { createSemaphore } from './semaphore.ts'
import { readTakenPart, type PartResources } from './taken-part.ts'

/**
 * What a worker does with the parts of large exports, its own and those of other workers (core/exports/parts.ts): it takes them as long
 * as there are any, each only when it has a thread for it: until then any other worker may take it.
 */
export interface PartReaders {
  /** Reads parts until none waits. Where as many do so as there are threads, it waits for one of them. */
  help: () => Promise<void>
  /** Has a thread look for parts when it is free. */
  wake: () => void
  /** This worker runs the attempt: its parts end with `signal`. `onEnd` hears of each that ended here. Gives what waits for those. */
  hold: (attempt: Attempt, signal: AbortSignal, onEnd: () => void) => () => Promise<void>
  /** Waits for what is being read or taken. */
  close: () => Promise<void>
}

/** `identity`: of the workers that read in the same way (reader-identity.ts). */
export function createPartReaders (resources: PartResources & { readers: Readers, identity: string }, shutdown: AbortSignal): PartReaders {
  const { db, readers, identity, log, config } = resources
  const held = new Map<string, { signal: AbortSignal, onEnd: () => void }>()
  const running = new Map<Promise<void>, string>()
  /** Attempts of others that could not be read from here: left to them for a while, for what was wrong may pass. */
  const unreadable = new Set<string>()
  const helping = new Set<Promise<void>>()
  const helpers = createSemaphore(readers.count)
  let last: string | undefined

  async function help (): Promise<void> {
    const work = readParts().catch((error: unknown) => { if (!shutdown.aborted) throw error })
    helping.add(work)
    await work.finally(() => { helping.delete(work) })
  }

  async function readParts (): Promise<void> {
    const leave = await helpers.acquire(shutdown)
    try {
      while (await readers.withThread(readNext, shutdown));
    } finally {
      leave()
    }
  }

  function wake (): void {
    if (helpers.isFree()) help().catch((err: unknown) => { log.warn({ err }, 'parts could not be looked for') })
  }

  async function readNext (read: ReadPart): Promise<boolean> {
    const part = await takePart(db, { readers: identity, leaseMs: config.EXPORT_LEASE, except: [...unreadable], after: last })
    if (part === undefined) return false
    last = part.id
    wake() // where there is one there may be more
    const key = toKey(part)
    const attempt = held.get(key)?.signal
    const reading = readTakenPart(resources, part, read, { attempt, shutdown, leaveToOthers: () => { leaveToOthers(key) } })
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
    setTimeout(() => { unreadable.delete(key) }, config.EXPORT_LEASE).unref()
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
