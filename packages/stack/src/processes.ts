import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError } from './command-error.ts'
import { guard } from './guard.ts'

export interface ManagedProcess {
  pid: number
  /** The last lines written to stdout and stderr, in order: what to show when it failed. */
  lastLines: () => string[]
  /** Resolves when it is gone, never rejects. */
  ended: Promise<End>
  /** Sends the stop signal, after `stopTimeoutMs` SIGKILL, and resolves when the process is gone. */
  stop: () => Promise<void>
}

export interface End {
  /** `exit code 1`, `signal SIGTERM` */
  how: string
  /** null after a signal. */
  code: number | null
}

export interface ProcessOptions {
  /** For messages: `PostgreSQL`, `the worker`. */
  name: string
  env: NodeJS.ProcessEnv
  cwd?: string | undefined
  /** Only root may set it. */
  owner?: { uid: number, gid: number } | undefined
  stopSignal?: NodeJS.Signals
  stopTimeoutMs?: number
  /** Called for each line of stdout and stderr. */
  onLine?: ((line: string) => void) | undefined
  /** Removed by the guard if we are killed before `stop`. */
  temporaryDirectory?: string | undefined
}

const keptLines = 60

/**
 * A child in a process group of its own: Ctrl-C in a terminal reaches only us, and we decide the order in which things
 * stop. The guard ends it should we die without stopping it.
 */
export async function spawnManaged (file: string, args: string[], options: ProcessOptions): Promise<ManagedProcess> {
  const { name, env, cwd, owner, stopSignal = 'SIGTERM', stopTimeoutMs = 15_000, onLine, temporaryDirectory } = options
  const child = spawn(file, args, { env, cwd, ...owner, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const pid = await spawned(child, name)
  const dismissGuard = guard({ pid, signal: stopSignal, temporaryDirectory })

  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', line => {
      lines.push(line)
      if (lines.length > keptLines) lines.shift()
      onLine?.(line)
    })
  }

  // 'close' and not 'exit': the last lines have been read by then. A grandchild that keeps the pipes open must not
  // hold us up for ever, hence the second of grace.
  const closed = once(child, 'close')
  const ended = once(child, 'exit').then(async ([code, signal]: Array<number | string | null>): Promise<End> => {
    dismissGuard()
    await Promise.race([closed, sleep(1_000, undefined, { ref: false })])
    return { how: signal === null ? `exit code ${code}` : `signal ${signal}`, code: typeof code === 'number' ? code : null }
  })

  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(stopSignal)
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
      await ended
      clearTimeout(timer)
    }
    await ended
  }

  return { pid, lastLines: () => [...lines], ended, stop }
}

/** Resolves when `ready` does; stops the process and rejects with its last lines if it ends, or the time is up, before that. */
export async function waitUntilReady (
  server: ManagedProcess, ready: Promise<void>, { name, timeoutMs }: { name: string, timeoutMs: number }
): Promise<void> {
  const problem = await Promise.race([
    ready.then(() => undefined, (error: Error) => `is not ready: ${error.message}`),
    server.ended.then(({ how }) => `ended before it was ready (${how})`),
    sleep(timeoutMs, `was not ready after ${timeoutMs / 1_000} s`, { ref: false }),
  ])
  if (problem === undefined) return
  await server.stop()
  throw processError(name, problem, server)
}

export function processError (name: string, how: string, { lastLines }: Pick<ManagedProcess, 'lastLines'>): CommandError {
  const lines = lastLines()
  return new CommandError([
    `${name} ${how}`, ...(lines.length > 0 ? ['its last lines:'] : []), ...lines.map(line => `  ${line}`),
  ].join('\n'))
}

async function spawned (child: ChildProcess, name: string): Promise<number> {
  try {
    await once(child, 'spawn')
  } catch (cause) {
    throw new CommandError(`${name} could not be started`, { cause })
  }
  return child.pid as number // set once 'spawn' was emitted
}
