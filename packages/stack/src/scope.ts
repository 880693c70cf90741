import { constants } from 'node:os'
import closeWithGrace from 'close-with-grace'
import { CommandError } from './command-error.ts'

export interface Stoppable { stop: () => Promise<void> }

export interface Scope {
  /** Aborted when the command is told to end; the reason is the name of the signal. */
  signal: AbortSignal
  /** Registers what the scope stops at its end, last one first, however it ends. */
  add: <S extends Stoppable>(server: S) => S
}

/**
 * Runs a command that starts servers, and exits with the code it returns. On a failure (1), on a signal that it does
 * not answer by returning (128 + its number) and on an unexpected error (1) alike, everything it added is stopped first.
 * `main` has to end when the signal is aborted; 30 s later, or at a second signal, we exit without it, and the guards
 * end what is left.
 */
export function runInScope (main: (scope: Scope) => Promise<number>): void {
  const controller = new AbortController()
  const stoppables: Stoppable[] = []
  const add: Scope['add'] = server => {
    stoppables.push(server)
    return server
  }
  const running = Promise.resolve().then(async () => await main({ signal: controller.signal, add })) // once signals are heard

  let ending = false
  const { close } = closeWithGrace({ delay: 30_000 }, async ({ signal, err }) => {
    ending = true
    if (signal !== undefined || err !== undefined) controller.abort(signal ?? err)
    let code = await running.catch(error => {
      if (signal !== undefined) return 128 + constants.signals[signal] // what follows from being told to end is no news
      return report(error)
    })
    if (err !== undefined) code = report(err)
    for (const stoppable of stoppables.reverse()) {
      await stoppable.stop().catch(error => { code = report(error) })
    }
    process.exit(code)
  })
  // Not if a signal or an error came first: that end waits for main itself.
  const endOnce = async (): Promise<void> => { if (!ending) await close() }
  running.then(endOnce, endOnce)
}

function report (error: unknown): number {
  console.error(error instanceof CommandError ? error.message : error)
  return 1
}
