import { workerAbsentMs, type ExportSummary } from '@fhir-bulk-export/core/exports'
import type { ExportState } from './profile.ts'
import type { Progress } from './status-schema.ts'

export function toProgress ({ status, progress, total_resources: totalResources }: ExportSummary): Progress {
  return { status, progress, totalResources }
}

export function toProgressHeaders ({ row, now, workerSilenceMs = 0 }: ExportState): Record<string, string> {
  return { 'X-Progress': toXProgress(row, now, workerSilenceMs), 'Retry-After': String(toRetryAfter(row, now)) }
}

export function toExpires ({ expires_at: expiresAt }: ExportSummary): Record<string, string> {
  return expiresAt === null ? {} : { Expires: expiresAt.toUTCString() }
}

/** Bulk Data 3.0.0, Response - In-Progress Status: at most 100 characters. Those of a header are ASCII. */
function toXProgress (row: ExportSummary, now: Date, workerSilenceMs: number | null): string {
  const { status, progress, exported_resources: exported, total_resources: total } = row
  const absence = isWaitingForWorker(row, now) ? toAbsence(workerSilenceMs) : ''
  if (status === 'pending') return `pending${absence}`
  if (absence !== '') return `${progress}%, waiting for a worker${absence}`
  if (!row.leased) return `${progress}%, waiting${toWaitReason(row, now)}`.slice(0, 99)
  if (total === 0) return `${progress}%`
  const count = `${progress}% ${exported}/${total}`
  // Types are read at the same time, so all of them are named.
  return `${count} ${listAtMost(99 - count.length, row.types)}`.trimEnd()
}

/** As many as fit, none cut. */
function listAtMost (characters: number, types: readonly string[]): string {
  for (let n = types.length; n > 0; n--) {
    const rest = types.length - n
    const list = `${types.slice(0, n).join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`
    if (list.length < characters) return list
  }
  return ''
}

/** Between attempts: the reason of the last one's end while its backoff runs. After that the export waits for a worker. */
function toWaitReason ({ failure_reason: reason, available_at: availableAt }: ExportSummary, now: Date): string {
  if (reason === null || availableAt <= now) return ' for a worker'
  return `: ${reason.replace(/[^ -~]/g, '?')}`
}

/** No attempt runs, and no backoff keeps a worker from beginning one. */
export function isWaitingForWorker ({ status, available_at: availableAt }: ExportSummary, now: Date): boolean {
  return (status === 'pending' || status === 'in_progress') && availableAt <= now
}

function toAbsence (silenceMs: number | null): string {
  if (silenceMs === null) return ', no worker has been seen yet'
  return silenceMs < workerAbsentMs ? '' : `, no worker has been seen for ${Math.floor(silenceMs / 1_000)} s`
}

/** Seconds, 1–60: a tenth of the time so far, so that a client learns of the end a tenth too late at most. */
function toRetryAfter ({ created_at: createdAt }: ExportSummary, now: Date): number {
  const tenth = (now.getTime() - createdAt.getTime()) / 10_000
  return Math.min(60, Math.max(1, Math.round(tenth)))
}
