import { setTimeout as delay } from 'node:timers/promises'
import { Queue, Worker, type IQueueBackend, type Job, type JobsOptions, type Processor } from 'bullmq'
import { ServiceError } from '../errors.ts'
import { findTraceparent, withSpan } from '../tracing.ts'
import { connect, defaultDeadlineMs, exportQueueName, type QueueConnectOptions } from './connect.ts'
import { isPostgres } from './is-postgres.ts'

/** `traceparent`: of the span that asked for the export, where there is one. */
export interface ExportJobData { version: 1, traceparent?: string }

export type ExportJob = Job<ExportJobData, void>
export type ExportProcessor = Processor<ExportJobData, void>
export type ExportWorker = Worker<ExportJobData, void, string, IQueueBackend>

const jobOptions: JobsOptions = { attempts: 1, removeOnComplete: true, removeOnFail: true }
/** Pause before a server that gave an error is asked again. */
const errorPauseMs = 1_000

export interface Doorbell {
  /** Rings for the export (or its part). Rejects with UNAVAILABLE within a second when the queue cannot be reached. */
  enqueue: (id: string) => Promise<void>
}

export interface ExportQueue extends Doorbell {
  /** Replaces a job of that id which a dead worker left behind: BullMQ would take the new one for a duplicate. */
  enqueueAgain: (exportId: string) => Promise<void>
  /** Rejects with UNAVAILABLE unless the queue takes writes. */
  ping: () => Promise<void>
  /** By state, such as `waiting`, `active` and `delayed`. */
  countJobs: () => Promise<Record<string, number>>
  close: () => Promise<void>
}

export function createExportQueue (url: string, options: QueueConnectOptions): ExportQueue {
  const connection = connect(url, options, { isProducer: true })
  let opening: Promise<ProducerQueue> | undefined

  async function withDeadline<T> (work: Promise<T>): Promise<T> {
    const { promise: expired, reject } = Promise.withResolvers<never>()
    const deadlineMs = options.deadlineMs ?? defaultDeadlineMs
    const timer = setTimeout(reject, deadlineMs, new Error(`no answer within ${deadlineMs} ms`))
    try {
      return await Promise.race([work, expired])
    } catch (cause) {
      throw new ServiceError('UNAVAILABLE', 'The queue is unavailable', { cause })
    } finally {
      clearTimeout(timer)
    }
  }

  /** BullMQ asks its server once, when a queue is made: one that got no answer then is broken for good, and is made anew. */
  async function openQueue (): Promise<ProducerQueue> {
    await connection.ready()
    if (opening === undefined) {
      const made = makeQueue()
      opening = made
      made.catch(() => { opening = undefined })
    }
    return await opening
  }

  async function makeQueue (): Promise<ProducerQueue> {
    const settings = { ...connection.options, skipWaitingForReady: true }
    const queue: ProducerQueue = new Queue(options.name ?? exportQueueName, settings, connection.backend)
    queue.on('error', options.onError)
    try {
      await queue.waitUntilReady()
    } catch (error) {
      queue.close().catch(options.onError)
      throw error
    }
    return queue
  }

  async function add (queue: ProducerQueue, exportId: string, traceparent = findTraceparent()): Promise<void> {
    const data: ExportJobData = traceparent === undefined ? { version: 1 } : { version: 1, traceparent }
    await queue.add('export', data, { ...jobOptions, jobId: exportId })
  }

  return {
    enqueue: async (exportId) => {
      await withSpan('job', { kind: 'producer', attributes: { 'fhir_bulk_export.export.id': exportId } }, async () => {
        await withDeadline(openQueue().then(async (queue) => { await add(queue, exportId) }))
      })
    },
    enqueueAgain: async (exportId) => {
      await withDeadline(openQueue().then(async (queue) => {
        const job = await queue.getJob(exportId)
        // Refused while a worker has its lock.
        if (job?.processedOn !== undefined) await job.remove().catch(() => {})
        await add(queue, exportId, job?.data.traceparent)
      }))
    },
    ping: async () => { await withDeadline(openQueue().then(connection.assertWrites)) },
    countJobs: async () => await withDeadline(openQueue().then(async (queue) => await queue.getJobCounts('waiting', 'active', 'delayed'))),
    close: async () => {
      const opened = await opening?.catch(() => undefined)
      await opened?.close()
      connection.close()
    },
  }
}

/** The consumer's half of the contract; the processor settles a job by returning, or by BullMQ's DelayedError or WaitingError. */
export function createExportWorker (
  url: string, processor: ExportProcessor, options: QueueConnectOptions & { concurrency: number, leaseMs: number }
): ExportWorker {
  const connection = connect(url, options, { isProducer: false })
  const settings = {
    ...connection.options,
    concurrency: options.concurrency,
    autorun: false,
    // A job of a worker that died is given to another before the export's own lease is over, which has the last word.
    lockDuration: Math.floor(options.leaseMs / 2),
    stalledInterval: Math.floor(options.leaseMs / 6),
    maxStalledCount: 2 ** 31 - 1, // the largest that the PostgreSQL backend takes
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
    runRetryDelay: errorPauseMs,
  }
  const worker: ExportWorker = new Worker(options.name ?? exportQueueName, processor, settings, connection.backend)
  worker.on('error', options.onError)
  worker.on('error', () => { pauseAfterError(worker).catch(options.onError) })
  // A processor's error is no error of the queue. Its job is gone; the reconciler rings again for an export that still waits.
  worker.on('failed', (_job, error) => { options.onError(error) })
  worker.on('closed', connection.close)
  return worker
}

/**
 * BullMQ connects to PostgreSQL once, when a worker is made: after a failure then it would never take a job. Redis is waited for
 * at each use.
 */
export async function assertTakesJobs (worker: ExportWorker, url: string): Promise<void> {
  if (isPostgres(url)) await worker.waitUntilReady()
}

/**
 * After an error that BullMQ does not know as one of the connection (a database that shuts down or refuses logins) it would ask again
 * at once, for ever, and never look for stalled jobs again. Both begin anew after a pause; running jobs go on.
 */
async function pauseAfterError (worker: ExportWorker): Promise<void> {
  if (worker.isPaused()) return
  await worker.pause(true)
  await delay(errorPauseMs, undefined, { ref: false })
  await worker.resume()
}

type ProducerQueue = Queue<ExportJobData, void, string, ExportJobData, void, string, IQueueBackend>
