import { MessageChannel } from 'node:worker_threads'
import type { PartResult } from '@fhir-bulk-export/core/exports'
import { findTraceparent } from '@fhir-bulk-export/core/tracing'
import type { Piscina } from 'piscina'
import { releaseLargeRow } from '../files/large-rows.ts'
import { Interruption } from '../interruption.ts'
import { fromPlainError } from './plain-error.ts'
import type { ReadTask } from './read-part.ts'
import type { FromReader, ReaderAnswer, ReaderCall, ToReader } from './reader-thread.ts'

/** How long a reader that is told to stop may take to clean up before its thread is ended. */
const graceMs = 5_000

/**
 * Has one of the threads read a part. `signal` stops it: it is asked to, and ended by force if it does not answer.
 * Rejects with the reader's error.
 */
export async function callReader (
  threads: Piscina<ReaderCall, ReaderAnswer>,
  { task, serial, largeRowLock }: { task: ReadTask, serial: number, largeRowLock: SharedArrayBuffer },
  onRows: (rows: number) => void, signal: AbortSignal
): Promise<PartResult> {
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
