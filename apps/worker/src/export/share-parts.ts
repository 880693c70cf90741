import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { findPartResults, mostLosses, readPartsState, shareAttempt, type Attempt, type PartResult } from '@fhir-bulk-export/core/exports'
import type { Logger } from '@fhir-bulk-export/core/log'
import type { Doorbell } from '@fhir-bulk-export/core/queue'
import type { Kysely } from 'kysely'
import { Interruption } from '../interruption.ts'
import { fromPartFailure } from './part-failure.ts'
import type { PartReaders } from './part-readers.ts'
import type { Part } from './plan.ts'
import type { SharedPart, SharedTask } from './shared-task.ts'

const lookMs = 500

export interface SharingResources {
  db: Kysely<Database>
  partReaders: PartReaders
  /** Rings for the workers that read parts. */
  partQueue: Doorbell
  identity: string
  log: Logger
}

/**
 * Has all workers read the parts of an attempt, this one among them, and waits until all are read. That a ring is lost costs
 * nothing but help. `onRows` is told how many rows are dealt with in all.
 */
export async function readShared (
  { db, partReaders, partQueue, identity, log }: SharingResources,
  { attempt, task, parts }: { attempt: Attempt, task: SharedTask, parts: Part[] },
  onRows: (rows: number) => void, signal: AbortSignal
): Promise<Array<PartResult & { reading: number }>> {
  const own = new AbortController() // the attempt's parts that are read here end with it
  let ended = new AbortController()
  const release = partReaders.hold(attempt, AbortSignal.any([signal, own.signal]), () => { ended.abort() })
  try {
    const shared: SharedPart[] = parts.map((items) => ({ items }))
    if (!await shareAttempt(db, attempt, identity, task, shared)) throw new Interruption('lost')
    ringForAll().catch((err: unknown) => { log.warn({ err, exportId: attempt.id }, 'other workers could not be rung for') })
    while (!await isRead()) {
      partReaders.wake()
      await delay(lookMs, undefined, { signal: AbortSignal.any([signal, ended.signal]) }).catch(() => {})
    }
    return await findPartResults(db, attempt)
  } finally {
    own.abort(new Interruption('lost'))
    await release()
  }

  async function ringForAll (): Promise<void> {
    for (let n = 1; n <= parts.length && !signal.aborted; n++) await partQueue.enqueue(`${attempt.id}.${attempt.attempt}.${n}`)
  }

  async function isRead (): Promise<boolean> {
    signal.throwIfAborted()
    ended = new AbortController()
    const state = await readPartsState(db, attempt).catch((err: unknown) => {
      log.warn({ err, exportId: attempt.id }, 'the parts could not be looked at')
    })
    if (state === undefined) return false
    onRows(state.rows)
    if (state.failure !== null) throw fromPartFailure(state.failure)
    if (state.isGivenUp) throw new ServiceError('EXPORT_FAILED', `${mostLosses} workers read the same part, and stopped without a word`)
    return state.isRead
  }
}
