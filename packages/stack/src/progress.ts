import { SingleBar } from 'cli-progress'
import type { Progress } from './client/export.ts'

export interface ProgressDisplay {
  update: (progress: Progress) => void
  /** The export is complete; passes on what there is then. */
  finish: <T>(result: T) => T
  /** Leaves the bar where it is; throws the error. */
  fail: (error: unknown) => never
}

/** A bar on a terminal; elsewhere a line for each news. */
export function createProgressDisplay (): ProgressDisplay {
  if (!process.stdout.isTTY) {
    return createDisplay({ update: ({ text }) => { console.log(`  ${text}`) }, stop: () => {} })
  }
  const bar = new SingleBar({ format: '  {bar} {text}', clearOnComplete: false, hideCursor: true, gracefulExit: false })
  bar.start(100, 0, { text: '' })
  return createDisplay({ update: ({ percent, text }) => { bar.update(percent, { text }) }, stop: () => { bar.stop() } })
}

function createDisplay ({ update, stop }: { update: (progress: Progress) => void, stop: () => void }): ProgressDisplay {
  return {
    update,
    finish (result) {
      update({ percent: 100, text: '100%, complete' })
      stop()
      return result
    },
    fail (error) {
      stop()
      throw error
    },
  }
}
