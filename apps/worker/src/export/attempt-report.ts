import type { Database } from '@fhir-bulk-export/core/db'
import { sumFiles, type ClaimedExport, type StoredFigures } from '@fhir-bulk-export/core/exports'
import type { Logger } from '@fhir-bulk-export/core/log'
import type { AttemptEnding, WorkerMetrics } from '@fhir-bulk-export/core/metrics'
import type { Kysely } from 'kysely'
import type { Ending } from './ending.ts'

export interface ReportResources { db: Kysely<Database>, log: Logger, metrics: WorkerMetrics }

/** A line when the attempt begins; the function that it gives back tells how it ended, before what it stored is dropped. */
export function reportAttempt (
  { db, log, metrics }: ReportResources, row: ClaimedExport, maxFailures: number
): (ending: Ending) => Promise<void> {
  const { id: exportId, attempt, level, types } = row
  const begun = performance.now()
  log.info({ exportId, attempt, level, types }, 'attempt begins')
  metrics.runningAttempts.inc()

  return async function end (ending) {
    const durationMs = Math.round(performance.now() - begun)
    const name = toEndingName(ending, row.failures + 1 >= maxFailures)
    metrics.runningAttempts.dec()
    metrics.attempts.observe({ ending: name }, durationMs / 1_000)
    if (name === 'lost') metrics.leasesLost.inc()
    const stored = await sumFiles(db, row, name === 'done' ? 'published' : 'stored').catch((err: unknown) => {
      log.warn({ err, exportId, attempt }, 'what was stored could not be counted')
    })
    if (name === 'done') {
      for (const { list, type, resources, bytes } of stored ?? []) {
        metrics.resources.inc({ list, type }, resources)
        metrics.bytes.inc({ list, type }, bytes)
      }
    }
    const sum = (what: 'files' | 'resources' | 'bytes') => stored?.reduce((total, figures) => total + figures[what], 0)
    const toName = ({ list, type }: StoredFigures) => list === 'output' ? type : list
    const byType = stored?.map((figures) => [toName(figures), { resources: figures.resources, bytes: figures.bytes }])
    const sums = { files: sum('files'), resources: sum('resources'), bytes: sum('bytes'), stored: Object.fromEntries(byType ?? []) }
    log.info({ exportId, attempt, ending: name, durationMs, ...sums }, 'attempt ended')
  }
}

function toEndingName (ending: Ending, isLast: boolean): AttemptEnding {
  switch (ending.kind) {
    case 'interrupted': return ending.by
    case 'failed': return ending.permanent || isLast ? 'failed_for_good' : 'failed'
    default: return ending.kind
  }
}
