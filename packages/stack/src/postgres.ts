import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { findBinaries, type Binaries } from './postgres/binaries.ts'
import { createCluster, refuseIfInUse } from './postgres/cluster.ts'
import type { OlderMajor } from './postgres/versions.ts'
import { findOwner, giveTo, type Owner } from './postgres/owner.ts'
import { findTemporaryDirectory, placeDataDirectory } from './postgres/directories.ts'
import { startOnFreePort } from './ports.ts'
import { spawnManaged, waitUntilReady } from './processes.ts'
import type { Server } from './server.ts'
import { findVolatileDirectory } from './volatile-directory.ts'

export { olderMajors } from './postgres/versions.ts'

export interface PostgresOptions {
  /** Kept after `stop` and used again by the next start; without it the data are temporary. */
  dataDirectory?: string
  /** Of 127.0.0.1; default: a free one. */
  port?: number
  /** false: a crash of the machine may lose everything, which is what tests want (no fsync). Default true. */
  durable?: boolean
  /** Default: the one of the lockfile. For another one a test `needs('postgresVersions')`. */
  major?: OlderMajor
}

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '', // a path of a socket is limited to 107 bytes
  max_connections: 200,
  max_prepared_transactions: 20, // tests look at what prepared transactions do to `transactionTime`
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C', // the line that says it is ready is read
}
const unsafeSettings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '1GB' }

/** A real PostgreSQL server of our own. Its superuser `postgres` has a random password; it listens on 127.0.0.1 alone. */
export async function startPostgres ({ dataDirectory, port, durable = true, major }: PostgresOptions = {}): Promise<Server> {
  const binaries = await findBinaries(major)
  const directory = dataDirectory === undefined
    ? await mkdtemp(join(await (durable ? findTemporaryDirectory() : findVolatileDirectory()), 'fhir-bulk-export-postgres-'))
    : await placeDataDirectory(dataDirectory)
  const removeTemporary = async (): Promise<void> => {
    if (dataDirectory === undefined) await rm(directory, { recursive: true, force: true })
  }

  try {
    const owner = await findOwner(directory)
    await giveTo(owner, directory)
    await createCluster({ binaries, directory, owner, durable, password: randomBytes(24).toString('base64url') })
    await refuseIfInUse(directory)

    const start = async (onPort: number): Promise<Server> => await startServer({
      binaries, directory, owner, durable, port: onPort, temporary: dataDirectory === undefined,
    })
    const server = port === undefined ? await startOnFreePort(start) : await start(port)
    const stop = async (): Promise<void> => {
      await server.stop()
      await removeTemporary()
    }
    return { url: server.url, stop }
  } catch (error) {
    await removeTemporary()
    throw error
  }
}

interface ServerOptions {
  binaries: Binaries
  directory: string
  owner: Owner | undefined
  durable: boolean
  port: number
  temporary: boolean
}

async function startServer ({ binaries, directory, owner, durable, port, temporary }: ServerOptions): Promise<Server> {
  const options = Object.entries({ ...settings, ...(durable ? {} : unsafeSettings), port })
  let sayReady: () => void
  const ready = new Promise<void>(resolve => { sayReady = resolve })
  const server = await spawnManaged(binaries.postgres, [
    '-D', join(directory, 'cluster'), ...options.flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ], {
    name: 'PostgreSQL',
    env: { PATH: process.env.PATH }, // no PG* variable of the caller's
    cwd: '/',
    owner,
    stopSignal: 'SIGINT', // fast shutdown: open transactions are rolled back, clients disconnected
    onLine: line => { if (/database system is ready to accept (read-only )?connections/.test(line)) sayReady() },
    temporaryDirectory: temporary ? directory : undefined,
  })
  await waitUntilReady(server, ready, { name: 'PostgreSQL', timeoutMs: 60_000 })
  const password = (await readFile(join(directory, 'password'), 'utf8')).trim()
  return { url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, stop: server.stop }
}
