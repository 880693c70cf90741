import { readdir, readFile } from 'node:fs/promises'

/** Linux only: what /proc tells (proc(5)). Times are in clock ticks, 100 a second on every Linux that Node runs on. */
const ticksPerSecond = 100

interface ProcessTimes { pid: number, parent: number, ticks: number }

/** Core-seconds that the process, its living descendants and its ended children have used so far. */
export async function readCpuSeconds (root: number): Promise<number> {
  const all = await readProcesses()
  let ticks = 0
  const wanted = new Set([root])
  // A child is often, not always, listed after its parent: go on until there is no new one.
  for (let size = 0; size !== wanted.size;) {
    size = wanted.size
    for (const { pid, parent } of all) if (wanted.has(parent)) wanted.add(pid)
  }
  for (const { pid, ticks: own } of all) if (wanted.has(pid)) ticks += own
  return ticks / ticksPerSecond
}

/** The process that a PostgreSQL backend was forked from. */
export async function readParent (pid: number): Promise<number> {
  return (await readProcess(pid))?.parent ?? 0
}

/** Highest resident set so far, in bytes. */
export async function readPeakMemory (pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}

async function readProcesses (): Promise<ProcessTimes[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  return (await Promise.all(pids.map(readProcess))).filter((found) => found !== undefined)
}

async function readProcess (pid: number): Promise<ProcessTimes | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (stat === undefined) return undefined
  // The second field is the program's name and may hold spaces; the fields after it are plain.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number)
  const [, parent = 0] = fields
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15)
  return { pid, parent, ticks: utime + stime + cutime + cstime }
}
