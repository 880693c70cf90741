import { randomUUID } from 'node:crypto'
import type { Actor } from '@fhir-bulk-export/core/audit'
import type { Database } from '@fhir-bulk-export/core/db'
import { beginDownload, endDownload, renewDownload } from '@fhir-bulk-export/core/exports'
import type { FastifyBaseLogger } from 'fastify'
import type { Kysely } from 'kysely'

export interface DownloadLease {
  /** Ends the lease and records the download; never rejects. A lease that could not be ended runs out, and the cleanup records it. */
  release: (sent: { bytes: number, isWhole: boolean }) => Promise<void>
}

export interface LeaseTimes { leaseMs: number, renewEveryMs: number, renewForMs: number }

/** A crashed process holds the files of an export for two minutes, an endless download for an hour. */
const leaseTimes: LeaseTimes = { leaseMs: 120_000, renewEveryMs: 30_000, renewForMs: 3_480_000 }

interface Download { exportId: string, fileName: string, by: Actor }

/** Keeps the files of an export in the store while one of them is sent. Undefined: the export has no files any more. */
export async function holdDownload (
  db: Kysely<Database>, { exportId, fileName, by }: Download, log: FastifyBaseLogger, times: LeaseTimes = leaseTimes
): Promise<DownloadLease | undefined> {
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
    renewDownload(db, id, times.leaseMs).catch(
      (err: unknown) => { log.warn({ err, exportId }, 'the lease of a download could not be renewed') }
    )
  }

  async function release (sent: { bytes: number, isWhole: boolean }): Promise<void> {
    clearInterval(timer)
    await endDownload(db, id, sent).catch((err: unknown) => { log.warn({ err, exportId }, 'the lease of a download could not be ended') })
  }

  return { release }
}
