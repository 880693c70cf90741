import type { Rest } from './check.ts'
import type { Figures } from './figures.ts'
import type { Memory } from './memory.ts'
import type { Takeovers } from './watch.ts'

export interface Outcome {
  figures: Figures
  rest: Rest
  violations: string[]
  /** By the names of mirrors. */
  mirrors: Map<string, string[]>
  takeovers: Takeovers
  leaseMs: number
  memory: Memory
}

/** Prints everything; returns whether all that must be 0 is. */
export function report ({ figures, rest, violations, mirrors, takeovers, leaseMs, memory }: Outcome): boolean {
  const lost = figures.lost + rest.unended.length
  const differing = [...mirrors].filter(([, differences]) => differences.length > 0)
  const must = new Map<string, number>([
    ['lost', lost],
    ['lines that were there twice', figures.doubleLines],
    ['exports of two instants', figures.torn],
    ['violations of the state machine', violations.length],
    ['orphan pins', rest.orphans.length],
    ['exports and files left after expiry and cleanup', rest.left.length],
    ['mirrors that differ', differing.length],
    ['answers that should not be', figures.unexpectedAnswers],
    ['processes that ended by themselves, or did not when told', figures.processFaults],
  ])

  console.log('\n| exports | |\n|---|---|')
  row('started (202)', figures.started)
  row('completed, and downloaded as the manifest has them', figures.completed)
  row('of them dropped by clients afterwards', figures.dropped)
  row('cancelled by clients', figures.cancelled)
  row('failed by design', figures.failedByDesign)
  row('failed otherwise', figures.failedOtherwise)
  row('ended, and expired before the client had read them', figures.expiredUnread)
  console.log('\n| must be 0 | |\n|---|---|')
  for (const [what, count] of must) row(what, count)
  console.log('\n| | |\n|---|---|')
  row('files downloaded', `${figures.files}, ${Math.round(figures.bytes / 1e6)} MB; ${figures.resumed} broken off and resumed`)
  row('requests answered with 429 or 503, or not at all, and repeated', figures.repeated)
  row('exports that mirrors applied', figures.mirrorSteps)
  row('attempts after a worker died', describeTakeovers(takeovers, leaseMs))
  for (const [name, count] of [...figures.faults].sort()) row(`fault: ${name}`, count)
  for (const [kind, peak] of memory.peaks) row(`memory of ${kind}`, `${Math.round(peak)} MB at most; ${describeSlope(memory, kind)}`)
  console.log(
    '\nMemory slopes are by least squares over processes that lived longer than a minute; they mean something after hours, not minutes.'
  )

  const problems = [
    ...figures.problems,
    ...rest.unended.map((id) => `lost: ${id}: has not ended`),
    ...violations,
    ...rest.orphans.map((key) => `orphan: ${key}`),
    ...rest.left.map((what) => `left: ${what}`),
    ...differing.flatMap(([name, differences]) => differences.map((difference) => `mirror of ${name}: ${difference}`)),
  ]
  if (problems.length > 0) console.log(`\n${problems.slice(0, 60).join('\n')}`)
  return [...must.values()].every((count) => count === 0)
}

function row (what: string, figure: number | string): void {
  console.log(`| ${what} | ${figure} |`)
}

function describeTakeovers ({ count, medianMs, longest }: Takeovers, leaseMs: number): string {
  if (longest === undefined) return '0'
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`
  const most = `${seconds(longest.ms)} at most (${longest.exportId} at ${longest.at.toISOString()})`
  return `${count}; begun ${seconds(medianMs)} after its last heartbeat (median), ${most}; the lease is ${seconds(leaseMs)}`
}

function describeSlope (memory: Memory, kind: string): string {
  const found = memory.slopes().get(kind)
  if (found === undefined) return 'no process lived long enough for a slope'
  const { lifetimes, steepest: { mbPerMinute, minutes } } = found
  return `slope ${mbPerMinute >= 0
    ? '+'
    : ''}${mbPerMinute.toFixed(1)} MB/min at most (over ${minutes.toFixed(1)} min; of ${lifetimes} lifetimes)`
}
