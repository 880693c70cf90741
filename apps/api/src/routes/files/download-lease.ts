import { randomUUID } from 'node:crypto'
import type { Actor } from '@fhir-bulk-export/core/audit'
import type { Database } from '@fhir-bulk-export/core/db'
import { beginDownload, endDownload, renewDownload } from '@fhir-bulk-export/core/exports'
import type { FastifyBaseLogger } from 'fastify'
import type { Kysely } from 'kysely'

export interface DownloadLease {
  /** Ends it, and writes down what was sent; never rejects. A lease that could not be ended runs out, and the audit is told by whoever finds it. */
  release: (sent: { bytes: number, isWhole: boolean }) => Promise<void>
}

export interface LeaseTimes { leaseMs: number, renewEveryMs: number, renewForMs: number }

/** So a crashed process holds an export's files for two minutes, and a client that never gets done for an hour. */
const leaseTimes: LeaseTimes = { leaseMs: 120_000, renewEveryMs: 30_000, renewForMs: 3_480_000 }

/** Keeps the export's files where they are while one of them is sent. Undefined: it has no files to give any more. */
export async function holdDownload (db: Kysely<Database>, { exportId, fileName, by }: { exportId: string, fileName: string, by: Actor }, log: FastifyBaseLogger, times: LeaseTimes = leaseTimes): Promise<DownloadLease | undefined> {
  const id = randomUUID()
  if (!await beginDownload(db, { id, exportId, fileName, by }, times.leaseMs)) return undefined

  const begun = performance.now()
  const timer = setInterval(renew, times.renewEveryMs)
  timer.unref()

  function renew (): void {
    if (performance.now() - begun > times.renewForMs) {
      clearInterval(timer)
      return
    }
    renewDownload(db, id, times.leaseMs).catch((err: unknown) => { log.warn({ err, exportId }, 'the lease of a download could not be renewed') })
  }

  async function release (sent: { bytes: number, isWhole: boolean }): Promise<void> {
    clearInterval(timer)
    await endDownload(db, id, sent).catch((err: unknown) => { log.warn({ err, exportId }, 'the lease of a download could not be ended') })
  }

  return { release }
}
