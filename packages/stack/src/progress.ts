import { SingleBar } from 'cli-progress'
import type { Progress } from './export-client.ts'

export interface ProgressDisplay {
  update: (progress: Progress) => void
  stop: () => void
}

/** A bar on a terminal; elsewhere a line for each news. */
export function createProgressDisplay (): ProgressDisplay {
  if (!process.stdout.isTTY) {
    return { update: ({ text }) => { console.log(`  ${text}`) }, stop: () => {} }
  }
  const bar = new SingleBar({ format: '  {bar} {text}', clearOnComplete: false, hideCursor: true, gracefulExit: false })
  bar.start(100, 0, { text: '' })
  return { update: ({ percent, text }) => { bar.update(percent, { text }) }, stop: () => { bar.stop() } }
}
