import {
  claimExport, failExport, findExport, handOnExport, renewLease, retryExport, type Attempt, type ClaimedExport, type Progress,
} from '@fhir-bulk-export/core/exports'
import type { Database } from '@fhir-bulk-export/core/db'
import type { ExportJob, ExportProcessor } from '@fhir-bulk-export/core/queue'
import { withSpan } from '@fhir-bulk-export/core/tracing'
import { DelayedError, WaitingError } from 'bullmq'
import type { Kysely } from 'kysely'
import { dropFiles } from '../tasks/sweep.ts'
import type { Presence } from '../presence.ts'
import { reportAttempt, type ReportResources } from './attempt-report.ts'
import { toEnding, type Ending } from './ending.ts'
import { keepLease } from './keep-lease.ts'
import { runExport, type ExportResources } from './run-export.ts'
import { createSlots } from './slots.ts'

const shortestPauseMs = 500
/** Until a large export asks again whether this worker has a slot for it; any other worker may take it meanwhile. */
const fullSlotsPauseMs = 1_000
const firstBackoffMs = 2_000
const longestBackoffMs = 60_000

type ProcessorResources = ExportResources & ReportResources & { leases: Kysely<Database>, presence: Presence }

/**
 * What a worker does with a job: claim the export it points at, run the attempt, write down how it ended, settle the job.
 * The job is settled only by returning (nothing is left to do) or by putting it back (DelayedError, WaitingError).
 * `shutdown` aborts with an Interruption. `leases` is a connection of its own: a heartbeat must not wait for others.
 */
export function createProcessor (resources: ProcessorResources, shutdown: AbortSignal): ExportProcessor {
  const { db, config, presence } = resources
  const slots = createSlots(config.WORKER_CONCURRENCY)

  return async function processExport (job, token) {
    const row = await findExport(db, job.id ?? '')
    if (row === undefined) return
    const giveBack = slots.take(row.patient_id !== null)
    if (giveBack === undefined) {
      await job.moveToDelayed(Date.now() + fullSlotsPauseMs, token)
      throw new DelayedError()
    }
    try {
      await runJob(row.id, job, token)
    } finally {
      giveBack()
    }
  }

  async function runJob (id: string, job: ExportJob, token: string | undefined): Promise<void> {
    const claim = await claimExport(db, id, { leaseMs: config.EXPORT_LEASE, maxFailures: config.EXPORT_ATTEMPTS, ttlMs: config.EXPORT_TTL })
    if (claim.outcome === 'over') return
    if (claim.outcome === 'busy') {
      // The database's clock says when; ours may run ahead of it, and must not make us ask in a tight loop.
      await job.moveToDelayed(Math.max(claim.availableAt.getTime(), Date.now() + shortestPauseMs), token)
      throw new DelayedError()
    }
    const reportEnding = reportAttempt(resources, claim.export, config.EXPORT_ATTEMPTS)
    const attributes = { 'fhir_bulk_export.export.id': id, 'fhir_bulk_export.attempt': claim.export.attempt }
    const ending = await withSpan('attempt', { kind: 'consumer', traceparent: job.data.traceparent, attributes }, async (setAttributes) => {
      const ending = await presence.whileRunning(id, async () => await attemptExport(resources, claim.export, shutdown))
      setAttributes({ 'fhir_bulk_export.ending': ending.kind })
      return ending
    })
    await reportEnding(ending)
    const after = await settle(resources, claim.export, ending)
    if (after === 'now') {
      await job.moveToWait(token)
      throw new WaitingError()
    }
    if (after !== 'never') {
      await job.moveToDelayed(Date.now() + after, token)
      throw new DelayedError()
    }
  }
}

/** Runs the attempt under its lease, and says how it ended. A cancelled export is seen when the lease is renewed. */
async function attemptExport (resources: ProcessorResources, row: ClaimedExport, shutdown: AbortSignal): Promise<Ending> {
  const { leases, log, config: { EXPORT_LEASE: leaseMs } } = resources
  const progress: Progress = { progress: 0, total_resources: 0, exported_resources: 0 }
  const own = new AbortController()
  const over = new AbortController()
  const signal = AbortSignal.any([own.signal, shutdown])
  const lease = keepLease({
    leaseMs,
    renew: async () => await renewLease(leases, row, leaseMs, progress),
    interrupt: (interruption) => { own.abort(interruption) },
    onError: (err) => { log.warn({ err, exportId: row.id }, 'the lease could not be renewed') },
  }, over.signal)
  try {
    await runExport(resources, row, progress, signal)
    return { kind: 'done' }
  } catch (error) {
    return toEnding(signal, error)
  } finally {
    over.abort()
    await lease
  }
}

/** Writes the ending down. Returns when the export is worth another look: never, now, or in so many milliseconds. */
async function settle (resources: ProcessorResources, row: ClaimedExport, ending: Ending): Promise<'never' | 'now' | number> {
  const { db, config, log } = resources
  const attempt: Attempt = { id: row.id, attempt: row.attempt }
  switch (ending.kind) {
    case 'done':
      return 'never'
    case 'cancelled':
      await dropFiles(resources, row.id)
      return 'never'
    case 'interrupted':
      if (ending.by === 'shutdown' && await handOnExport(db, attempt)) return 'now'
      await dropFiles(resources, row.id)
      return 'never'
    case 'failed': {
      const failures = row.failures + 1
      log.error({ err: ending.error, exportId: row.id, attempt: row.attempt, failures, permanent: ending.permanent }, 'attempt failed')
      if (ending.permanent || failures >= config.EXPORT_ATTEMPTS) {
        if (await failExport(db, attempt, ending.reason, config.EXPORT_TTL)) await dropFiles(resources, row.id)
        return 'never'
      }
      const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1))
      return await retryExport(db, attempt, ending.reason, backoffMs) ? backoffMs : 'never'
    }
  }
}
