import { access, constants, statfs } from 'node:fs/promises'
import { findTemporaryDirectory } from './postgres/directories.ts'

const memory = '/dev/shm'
/** What the databases of a test run may come to. Docker gives a container 64 MiB there unless it is told otherwise. */
const leastMemoryBytes = 6 * 2 ** 30

/**
 * A parent for data that need not outlive the machine: memory where there is enough of it. A database is some 350 files; to make them costs
 * 0.3 s of CPU on a disk (ext4) and 0.02 s in memory.
 */
export async function findVolatileDirectory (): Promise<string> {
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }))
  const isWritable = await access(memory, constants.W_OK).then(() => true, () => false)
  return isWritable && bavail * bsize >= leastMemoryBytes ? memory : await findTemporaryDirectory()
}
