import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Control groups, version 1, as root (https://docs.kernel.org/scheduler/sched-bwc.html). */
const root = '/sys/fs/cgroup/cpu'
const periodMicroseconds = 100_000

/** Holds processes to a part of a core each: `percent` of one. */
export interface CpuShare { hold: (pid: number) => Promise<void>, stop: () => Promise<void> }

export function createCpuShare (percent: number): CpuShare {
  const groups: string[] = []

  async function hold (pid: number): Promise<void> {
    const group = join(root, `fhir-bulk-export-bench-${pid}`)
    await mkdir(group)
    groups.push(group)
    await writeFile(join(group, 'cpu.cfs_period_us'), String(periodMicroseconds))
    await writeFile(join(group, 'cpu.cfs_quota_us'), String(Math.round(periodMicroseconds * percent / 100)))
    await writeFile(join(group, 'cgroup.procs'), String(pid))
  }

  return { hold, stop: async () => { for (const group of groups.splice(0)) await rmdir(group).catch(() => {}) } }
}
