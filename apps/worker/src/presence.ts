import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Database } from '@fhir-bulk-export/core/db'
import { noteWorker } from '@fhir-bulk-export/core/exports'
import type { Kysely } from 'kysely'

/** What operators and callers see of a worker: that it is there, and which exports it runs. */
export interface Presence {
  beat: () => Promise<void>
  whileRunning: <T>(exportId: string, work: () => Promise<T>) => Promise<T>
}

export function createPresence (db: Kysely<Database>, onError: (error: unknown) => void): Presence {
  const self = { id: randomUUID(), host: hostname() }
  const running = new Set<string>()
  const beat = async () => { await noteWorker(db, { ...self, running: [...running] }) }

  return {
    beat,
    async whileRunning (exportId, work) {
      running.add(exportId)
      await beat().catch(onError)
      try {
        return await work()
      } finally {
        running.delete(exportId)
        await beat().catch(onError)
      }
    },
  }
}
