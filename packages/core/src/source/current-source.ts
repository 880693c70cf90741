import type { QueryExecutorProvider } from 'kysely'
import { readSource, type Source } from './catalog.ts'

/** A relation that is made, changed or dropped is noticed within this time. */
const maxAgeMs = 60_000

export interface CurrentSource {
  /** The source as it was at most a minute ago. Rejects when it cannot be read; the next call tries again. */
  get: () => Promise<Source>
  /** The same, or as it was last read where it cannot be read now. Rejects only when it was never read. */
  getLastRead: () => Promise<Source>
}

/** Reads the database at most once a minute, for any number of callers. */
export function createCurrentSource (db: QueryExecutorProvider): CurrentSource {
  let reading: Promise<Source> | undefined
  let lastRead: Source | undefined
  let readAt = 0

  function get (): Promise<Source> {
    if (reading !== undefined && performance.now() - readAt < maxAgeMs) return reading
    readAt = performance.now()
    const current = readSource(db)
    reading = current
    current.then((source) => { lastRead = source }, () => { if (reading === current) reading = undefined })
    return current
  }

  async function getLastRead (): Promise<Source> {
    try {
      return await get()
    } catch (error) {
      if (lastRead === undefined) throw error
      return lastRead
    }
  }

  return { get, getLastRead }
}
