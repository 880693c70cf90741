import type { PartResult } from '@fhir-bulk-export/core/exports'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { MessageChannel } from 'node:worker_threads'
import type { StoreCall } from '@fhir-bulk-export/core/metrics'
import { findTraceparent, withSpan } from '@fhir-bulk-export/core/tracing'
import { Piscina } from 'piscina'
import { Interruption } from '../interruption.ts'
import { createLargeRows, releaseLargeRow } from '../files/large-rows.ts'
import { fromPlainError } from './plain-error.ts'
import { readPart, type ReadResources, type ReadTask } from './read-part.ts'
import type { FromReader, ReaderAnswer, ReaderCall, ReaderData, ToReader } from './reader-thread.ts'

/** How long a reader that is told to stop may take to clean up before its thread is ended. */
const graceMs = 5_000
const idleMs = 60_000

/**
 * A worker's readers: threads, each with a connection of its own, that do all of a large export's work on rows, so that this
 * thread is free for leases and jobs. A patient's own export is read on this thread: it is small, needs no start, and no
 * large export can stand in its way.
 */
export interface Readers {
  /** How many read a large export at once. */
  count: number
  /** Reads a part. Rejects with the reader's error, or with the signal's reason. */
  read: (task: ReadTask, onRows: (rows: number) => void, signal: AbortSignal) => Promise<PartResult>
  close: () => Promise<void>
}

/**
 * `own` is what this thread reads with; `onError` hears of threads that end while they have nothing to do, `onStoreCall` of what they
 * call the store for.
 */
export function createReaders (
  own: Omit<ReadResources, 'largeRows'>, onError: (error: unknown) => void, onStoreCall: (call: StoreCall) => void
): Readers {
  const { config } = own
  const count = config.EXPORT_READERS ?? Math.min(4, availableParallelism())
  const largeRowLock = new SharedArrayBuffer(4)
  const data: ReaderData = { config, largeRowLock }
  const threads = new Piscina<ReaderCall, ReaderAnswer>({
    filename: fileURLToPath(new URL('./reader-thread.ts', import.meta.url)),
    workerData: data,
    minThreads: 0,
    maxThreads: count,
    idleTimeout: idleMs,
    atomics: 'disabled', // an idle thread must notice connections that break
    // Rows live for microseconds: a small young generation keeps them from being kept, and the heap flat.
    resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 1_024 },
  })
  threads.on('error', onError)
  threads.on('message', onStoreCall)
  let tasks = 0

  async function read (task: ReadTask, onRows: (rows: number) => void, signal: AbortSignal): Promise<PartResult> {
    signal.throwIfAborted()
    const serial = ++tasks
    try {
      if (task.filter.patientId === null) return await readInThread(task, serial, onRows, signal)
      return await withSpan('part', {}, async () => {
        return await readPart({ ...own, largeRows: createLargeRows(largeRowLock, serial, signal) }, task, onRows, signal)
      })
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      releaseLargeRow(largeRowLock, serial)
    }
  }

  async function readInThread (task: ReadTask, serial: number, onRows: (rows: number) => void, signal: AbortSignal): Promise<PartResult> {
    const { port1: port, port2 } = new MessageChannel()
    const force = new AbortController()
    let isStarted = false
    let told = 0
    let timer: NodeJS.Timeout | undefined
    function hear (message: FromReader): void {
      isStarted = true
      if (!('rows' in message)) return
      told += message.rows
      onRows(message.rows)
    }
    port.on('message', hear)
    // A reader that runs is asked to stop and cleans up; one that is only waited for, or does not answer, is not needed.
    function stop (): void {
      const message: ToReader = { interrupt: signal.reason instanceof Interruption ? signal.reason.kind : 'lost' }
      port.postMessage(message)
      timer = setTimeout(() => { force.abort() }, isStarted ? graceMs : 0)
    }
    signal.addEventListener('abort', stop, { once: true })
    try {
      const answer = await threads.run({ task, serial, port: port2, traceparent: findTraceparent() },
        { transferList: [port2], signal: force.signal })
      if ('error' in answer) throw fromPlainError(answer.error)
      // The answer comes by another way, and may overtake the last of the messages.
      port.off('message', hear)
      onRows(answer.result.rows - told)
      return answer.result
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      port.close()
      // A thread that is ended by force may win the lock once more before it is gone.
      if (force.signal.aborted) setTimeout(() => { releaseLargeRow(largeRowLock, serial) }, graceMs).unref()
    }
  }

  return { count, read, close: async () => { await threads.destroy() } }
}
