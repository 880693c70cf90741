import { readFile } from 'node:fs/promises'
import type { Kept } from './processes.ts'

/** A process grows while it warms up. */
const warmUpMs = 20_000
const shortestMs = 60_000

/** Of one process, from its warm-up on. */
interface Lifetime {
  pid: number
  bornMs: number
  lastMs: number
  /** Sums for a line by least squares: of minutes, MB, minutes², minutes × MB. */
  n: number
  t: number
  m: number
  tt: number
  tm: number
}

interface Slope { mbPerMinute: number, minutes: number }

export interface Memory {
  sample: (kept: Kept[]) => Promise<void>
  /** The steepest of all lifetimes that were long enough, by the first word of their names, and how many there were. */
  slopes: () => Map<string, { lifetimes: number, steepest: Slope }>
  /** Highest resident set that was seen, in MB, by the same. */
  peaks: ReadonlyMap<string, number>
}

/** Resident memory over time, of processes that come and go; Linux only (proc(5)). */
export function createMemory (): Memory {
  const living = new Map<string, Lifetime>()
  const found = new Map<string, { lifetimes: number, steepest: Slope }>()
  const peaks = new Map<string, number>()

  function bury (name: string): void {
    const lifetime = living.get(name)
    living.delete(name)
    if (lifetime === undefined || lifetime.lastMs - lifetime.bornMs < shortestMs) return
    const { n, t, m, tt, tm, bornMs, lastMs } = lifetime
    const slope = { mbPerMinute: (n * tm - t * m) / (n * tt - t * t), minutes: (lastMs - bornMs) / 60_000 }
    const kind = toKind(name)
    const known = found.get(kind)
    found.set(kind, {
      lifetimes: (known?.lifetimes ?? 0) + 1,
      steepest: known === undefined || slope.mbPerMinute > known.steepest.mbPerMinute ? slope : known.steepest,
    })
  }

  async function sampleOne (name: string, pid: number): Promise<void> {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
    if (kilobytes === undefined) return
    const megabytes = Number(kilobytes) * 1_024 / 1e6
    peaks.set(toKind(name), Math.max(megabytes, peaks.get(toKind(name)) ?? 0))
    const nowMs = performance.now()
    if (living.get(name)?.pid !== pid) {
      bury(name)
      living.set(name, { pid, bornMs: nowMs, lastMs: nowMs, n: 0, t: 0, m: 0, tt: 0, tm: 0 })
    }
    const lifetime = living.get(name)
    if (lifetime === undefined || nowMs - lifetime.bornMs < warmUpMs) return
    const minutes = (nowMs - lifetime.bornMs) / 60_000
    lifetime.lastMs = nowMs
    lifetime.n++
    lifetime.t += minutes
    lifetime.m += megabytes
    lifetime.tt += minutes ** 2
    lifetime.tm += minutes * megabytes
  }

  return {
    peaks,
    async sample (kept) {
      for (const { name, pid } of kept) {
        const now = pid()
        if (now !== undefined) await sampleOne(name, now)
      }
    },
    slopes () {
      for (const name of [...living.keys()]) bury(name)
      return found
    },
  }
}

/** `worker-2` → `worker` */
function toKind (name: string): string {
  return name.split('-')[0] ?? name
}
