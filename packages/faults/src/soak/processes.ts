import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { startScript } from '@fhir-bulk-export/stack/commands'
import type { Scope } from '@fhir-bulk-export/stack/scope'

const restartMs = 500
/** The service itself gives up after 30 s. */
const longestStopMs = 45_000

/** A process that is started again whenever it ends, as an orchestrator would. */
export interface Kept {
  name: string
  /** Of the process that runs now, once it is ready. */
  pid: () => number | undefined
  /** No-op while there is none. */
  kill: (signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT') => void
  /** SIGTERM; resolves when the process has ended. */
  terminate: () => Promise<void>
}

export interface KeepOptions {
  name: string
  start: (options: { onLine: (line: string) => void }) => ReturnType<typeof startScript>
  /** A part of the line by which it says that it works. */
  readyLine: string
  logs: string
  /** It ended without being told to; or it was told and did not. */
  onFault: (what: string) => void
}

/** Resolves when it is ready for the first time. */
export async function keepRunning (scope: Scope, { name, start, readyLine, logs, onFault }: KeepOptions): Promise<Kept> {
  type Running = Awaited<ReturnType<typeof start>> & { isReady: boolean, told: string | undefined }
  const log = createWriteStream(join(logs, `${name}.log`))
  const first = Promise.withResolvers<void>()
  let running: Running | undefined
  const stopping = new AbortController()

  async function live (): Promise<void> {
    while (!stopping.signal.aborted) {
      const ready = Promise.withResolvers<true>()
      const managed = await start({
        onLine: (line) => {
          log.write(`${line}\n`)
          if (line.includes(readyLine)) ready.resolve(true)
        },
      })
      const own: Running = { ...managed, isReady: false, told: undefined }
      running = own
      own.isReady = await Promise.race([ready.promise, managed.ended.then(() => false)])
      if (own.isReady) first.resolve()
      const { how } = await managed.ended
      running = undefined
      log.write(`-- ended: ${how}, told: ${own.told ?? 'nothing'}, at ${new Date().toISOString()}\n`)
      // One that finds PostgreSQL or the store away when it starts is right to give up.
      if (own.told === undefined && own.isReady && !stopping.signal.aborted) onFault(`${name} ended by itself: ${how}`)
      if (!stopping.signal.aborted) await delay(restartMs)
    }
  }

  function kill (signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    if (running === undefined) return
    log.write(`-- ${signal} at ${new Date().toISOString()}\n`)
    if (signal === 'SIGKILL' || signal === 'SIGTERM') running.told ??= signal
    process.kill(running.pid, signal)
  }

  async function terminate (): Promise<void> {
    const own = running
    if (own === undefined) return
    kill('SIGTERM')
    const ended = await Promise.race([own.ended, delay(longestStopMs, undefined, { ref: false })])
    if (ended !== undefined) return
    onFault(`${name} had not ended ${longestStopMs / 1_000} s after SIGTERM`)
    kill('SIGKILL')
    await own.ended
  }

  const living = live()
  scope.add({
    async stop () {
      stopping.abort()
      await running?.stop()
      await living
      log.end()
    },
  })
  await Promise.race([first.promise, living])
  return { name, pid: () => running?.isReady === true ? running.pid : undefined, kill, terminate }
}
