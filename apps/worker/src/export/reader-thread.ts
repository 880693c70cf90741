import { parentPort, type MessagePort } from 'node:worker_threads'
import type { PartResult } from '@fhir-bulk-export/core/exports'
import { openContentStore, tellCalls } from '@fhir-bulk-export/core/store'
import { withSpan } from '@fhir-bulk-export/core/tracing'
import { workerData } from 'piscina'
import type { Config } from '../config.ts'
import { openDatabase, openSource } from '../database.ts'
import { Interruption } from '../interruption.ts'
import { createLargeRows } from '../files/large-rows.ts'
import { CopySocket } from '../source/copy-socket.ts'
import { readPart, type ReadTask } from './read-part.ts'
import { toPlainError, type PlainError } from './plain-error.ts'

/** What main thread and reader say to each other while a part is read; the result is the task's return value. */
export interface ReaderCall { task: ReadTask, serial: number, port: MessagePort, traceparent: string | undefined }
export type ToReader = { interrupt: Interruption['kind'] }
export type FromReader = { isStarted: true } | { rows: number }
export type ReaderAnswer = { result: PartResult } | { error: PlainError }

export interface ReaderData { config: Config, largeRowLock: SharedArrayBuffer }

const { config, largeRowLock } = workerData as ReaderData
const onError = () => {} // an idle connection that broke is replaced when it is needed
const db = openDatabase(config, 1, onError)
const snapshots = openSource(config, { max: 1, toSocket: () => new CopySocket(), onError })
const store = tellCalls(await openContentStore(config.IPFS_URL, { isPrepared: true }), (call) => { parentPort?.postMessage(call) })

/** Reads one part of an attempt. Errors travel as plain values: structured cloning drops their class and code. */
export default async function readInThread ({ task, serial, port, traceparent }: ReaderCall): Promise<ReaderAnswer> {
  const controller = new AbortController()
  const tell = (message: FromReader) => { port.postMessage(message) }
  port.on('message', ({ interrupt }: ToReader) => { controller.abort(new Interruption(interrupt)) })
  tell({ isStarted: true })
  try {
    const largeRows = createLargeRows(largeRowLock, serial, controller.signal)
    const result = await withSpan('part', { traceparent }, async () => {
      return await readPart({ db, snapshots, store, largeRows, config }, task, (rows) => { tell({ rows }) }, controller.signal)
    })
    return { result }
  } catch (error) {
    return { error: toPlainError(controller.signal.aborted ? controller.signal.reason : error) }
  } finally {
    port.close()
  }
}
