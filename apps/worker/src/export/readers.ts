import type { PartResult } from '@fhir-bulk-export/core/exports'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { StoreCall } from '@fhir-bulk-export/core/store'
import { withSpan } from '@fhir-bulk-export/core/tracing'
import { Piscina } from 'piscina'
import { createLargeRows, releaseLargeRow } from '../files/large-rows.ts'
import { callReader } from './call-reader.ts'
import { readPart, type ReadResources, type ReadTask } from './read-part.ts'
import type { ReaderAnswer, ReaderCall, ReaderData } from './reader-thread.ts'
import { createSemaphore } from './semaphore.ts'

const idleMs = 60_000

/** Reads a part. Rejects with the reader's error, or with the signal's reason. */
export type ReadPart = (task: ReadTask, onRows: (rows: number) => void, signal: AbortSignal) => Promise<PartResult>

/**
 * A worker's readers: threads, each with a connection of its own, that do all of a large export's work on rows, so that this
 * thread is free for leases and jobs. Exports that ask for threads, and other workers' that are helped, get them in turn.
 */
export interface Readers {
  /** How many read at once. */
  count: number
  /** Waits for a thread that is free, and keeps it for `work`. Rejects with the signal's reason, which ends the wait. */
  withThread: <T>(work: (read: ReadPart) => Promise<T>, signal: AbortSignal) => Promise<T>
  /** On this thread, what is a patient's own: it is small, needs no start, and no large export can stand in its way. */
  readHere: ReadPart
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
  const free = createSemaphore(count)
  let tasks = 0

  async function withThread<T> (work: (read: ReadPart) => Promise<T>, signal: AbortSignal): Promise<T> {
    const giveBack = await free.acquire(signal)
    try {
      return await work(readInThread)
    } finally {
      giveBack()
    }
  }

  const readInThread: ReadPart = async (task, onRows, signal) => await read(signal, async (serial) => {
    return await callReader(threads, { task, serial, largeRowLock }, onRows, signal)
  })

  const readHere: ReadPart = async (task, onRows, signal) => await read(signal, async (serial) => await withSpan('part', {}, async () => {
    return await readPart({ ...own, largeRows: createLargeRows(largeRowLock, serial, signal) }, task, onRows, signal)
  }))

  async function read (signal: AbortSignal, work: (serial: number) => Promise<PartResult>): Promise<PartResult> {
    signal.throwIfAborted()
    const serial = ++tasks
    try {
      return await work(serial)
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      releaseLargeRow(largeRowLock, serial)
    }
  }

  return { count, withThread, readHere, close: async () => { await threads.destroy() } }
}
