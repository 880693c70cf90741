import type { Database } from '@fhir-bulk-export/core/db'
import { failPart, finishPart, handBackPart, renewPart, type TakenPart } from '@fhir-bulk-export/core/exports'
import type { Logger } from '@fhir-bulk-export/core/log'
import type { Kysely } from 'kysely'
import type { Config } from '../config.ts'
import { Interruption } from '../interruption.ts'
import { keepLease } from './keep-lease.ts'
import { toPartFailure } from './part-failure.ts'
import type { ReadPart } from './readers.ts'
import { toReadTask } from './shared-task.ts'

export interface PartResources {
  db: Kysely<Database>
  leases: Kysely<Database>
  log: Logger
  config: Config
}

/**
 * Reads a part under its lease, and writes down how that ended. `attempt`: this worker runs the attempt. `leaveToOthers` is called before a
 * part that cannot be read here is handed back.
 */
export async function readTakenPart (
  resources: PartResources, part: TakenPart, read: ReadPart,
  { attempt, shutdown, leaveToOthers }: { attempt: AbortSignal | undefined, shutdown: AbortSignal, leaveToOthers: () => void }
): Promise<void> {
  const { db, leases, log, config: { EXPORT_LEASE: leaseMs } } = resources
  const { id: exportId, n, turn } = part
  const lost = new AbortController()
  const over = new AbortController()
  const signal = AbortSignal.any([lost.signal, shutdown, ...(attempt === undefined ? [] : [attempt])])
  let rows = 0
  const lease = keepLease({
    leaseMs,
    renew: async () => await renewPart(leases, part, leaseMs, rows) ? 'held' : 'lost',
    interrupt: (interruption) => { lost.abort(interruption) },
    onError: (err) => { log.warn({ err, exportId }, "a part's lease could not be renewed") },
  }, over.signal)
  try {
    const result = await read(toReadTask(part), (more) => { rows += more }, signal)
    if (await finishPart(db, part, result)) log.debug({ exportId, attempt: part.attempt, part: n, turn }, 'part read')
  } catch (error) {
    if (signal.aborted || error instanceof Interruption) await handBackPart(db, part) // refused where it is no longer ours
    else await giveUp(resources, part, error, attempt === undefined ? leaveToOthers : undefined)
  } finally {
    over.abort()
    await lease
  }
}

/** Only the attempt's own worker lets it fail: an error of this worker (the way to the store, a disk) may be no error of others. */
async function giveUp ({ db, log }: PartResources, part: TakenPart, err: unknown, leaveToOthers: (() => void) | undefined): Promise<void> {
  const { id: exportId, attempt, n } = part
  if (leaveToOthers === undefined) {
    log.error({ err, exportId, attempt, part: n }, 'a part could not be read')
    await failPart(db, part, toPartFailure(err))
    return
  }
  log.warn({ err, exportId, attempt, part: n }, 'a part could not be read here, and is left to other workers')
  leaveToOthers()
  await handBackPart(db, part)
}
