import { STATUS_CODES } from 'node:http'
import type { FileRow } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { toManifest, workerBeatMs } from '@fhir-bulk-export/core/exports'
import type { ExportSummary, Manifest } from '@fhir-bulk-export/core/exports'
import { fhirJson, toOutcome } from '../../errors/outcome.ts'
import type { Outcome } from '../../errors/outcome.ts'
import type { Progress } from './status-schema.ts'

export interface StatusAnswer {
  code: 200 | 202
  headers: Record<string, string>
  body: Progress | Manifest | Outcome
}

interface Context {
  /** Of a completed export: its published files. */
  files: FileRow[]
  publicUrl: string
  /** Of an export that waits: for how long no worker has been seen (ms), null: none ever was. */
  workerSilenceMs?: number | null
  gatewayUrl?: string | undefined
  now: Date
}

/**
 * What a status request is told, in the wire profile that the kick-off chose: the reference card reports every status with
 * 200, Bulk Data (3.0.0, Bulk Data Status Request) by status code, or with separate-export-status by a header that holds it.
 * @throws ServiceError for what a profile tells as an error.
 */
export function toStatusAnswer (row: ExportSummary, context: Context): StatusAnswer {
  const answer = toBulkDataAnswer(row, context)
  switch (row.wire_profile) {
    case 'reference-card':
      return { ...answer, code: 200 }
    case 'respond-async':
      if (answer.code === 500) throw toFailure(row)
      return { ...answer, code: answer.code }
    case 'separate-export-status':
      return { ...answer, code: 200, headers: { ...answer.headers, 'X-Export-Status': `${answer.code} ${STATUS_CODES[answer.code]}` } }
  }
}

type BulkDataAnswer = Omit<StatusAnswer, 'code'> & { code: StatusAnswer['code'] | 500 }

function toBulkDataAnswer (row: ExportSummary, { files, publicUrl, gatewayUrl, now, workerSilenceMs = 0 }: Context): BulkDataAnswer {
  const isCard = row.wire_profile === 'reference-card'
  switch (row.status) {
    case 'pending':
    case 'in_progress':
      return { code: 202, headers: { 'X-Progress': toXProgress(row, now, workerSilenceMs), 'Retry-After': String(toRetryAfter(row, now)) }, body: toProgress(row) }
    case 'completed':
      return { code: 200, headers: row.expires_at === null ? {} : { Expires: row.expires_at.toUTCString() }, body: toManifest(row, files, { publicUrl, gatewayUrl }) }
    case 'failed': {
      const error = toOutcome(toFailure(row), publicUrl)
      if (isCard) return { code: 500, headers: {}, body: { ...toProgress(row), error } }
      if (row.dropped_at !== null) throw deleted()
      return { code: 500, headers: { 'Content-Type': fhirJson }, body: error }
    }
    case 'cancelled':
      if (isCard) return { code: 200, headers: {}, body: toProgress(row) }
      throw deleted()
  }
}

function toFailure (row: ExportSummary): ServiceError {
  return new ServiceError('EXPORT_FAILED', row.failure_reason ?? undefined)
}

/** Bulk Data 3.0.0, Bulk Data Delete Request: status requests after it get a 404. */
function deleted (): ServiceError {
  return new ServiceError('NOT_FOUND', 'The export was deleted')
}

function toProgress ({ status, progress, total_resources: totalResources }: ExportSummary): Progress {
  return { status, progress, totalResources }
}

/** Bulk Data 3.0.0, Response - In-Progress Status: at most 100 characters. A header's are ASCII. */
function toXProgress (row: ExportSummary, now: Date, workerSilenceMs: number | null): string {
  const { status, progress, exported_resources: exported, total_resources: total } = row
  const absence = waitsForWorker(row, now) ? toAbsence(workerSilenceMs) : ''
  if (status === 'pending') return `pending${absence}`
  if (absence !== '') return `${progress}%, waiting for a worker${absence}`
  if (!row.leased) return `${progress}%, waiting${toWaitReason(row, now)}`.slice(0, 99)
  // Types are read at the same time: all of them are what it is at.
  if (total === 0) return `${progress}%`
  const count = `${progress}% ${exported}/${total}`
  return `${count} ${listWithin(99 - count.length, row.types)}`.trimEnd()
}

/** As many as fit, each as a whole. */
function listWithin (characters: number, types: readonly string[]): string {
  for (let n = types.length; n > 0; n--) {
    const rest = types.length - n
    const list = `${types.slice(0, n).join(', ')}${rest === 0 ? '' : ` and ${rest} more`}`
    if (list.length < characters) return list
  }
  return ''
}

/** In between attempts: why the last one ended, as long as its backoff runs; then there is nothing to wait for but a worker. */
function toWaitReason ({ failure_reason: reason, available_at: availableAt }: ExportSummary, now: Date): string {
  if (reason === null || availableAt <= now) return ' for a worker'
  return `: ${reason.replace(/[^ -~]/g, '?')}`
}

/** Nobody runs it, and nothing keeps a worker from doing so. */
export function waitsForWorker ({ status, available_at: availableAt }: ExportSummary, now: Date): boolean {
  return (status === 'pending' || status === 'in_progress') && availableAt <= now
}

/** Several heartbeats of a worker. */
const absentMs = 6 * workerBeatMs

function toAbsence (silenceMs: number | null): string {
  if (silenceMs === null) return ', no worker has been seen yet'
  return silenceMs < absentMs ? '' : `, no worker has been seen for ${Math.floor(silenceMs / 1_000)} s`
}

/** Seconds, 1–60: a tenth of the time it has taken so far, so that an obedient client learns of the end a tenth too late at most. */
function toRetryAfter ({ created_at: createdAt }: ExportSummary, now: Date): number {
  const tenth = (now.getTime() - createdAt.getTime()) / 10_000
  return Math.min(60, Math.max(1, Math.round(tenth)))
}
