import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getServerUrl } from './optional-servers.ts'
import { startInOwnDirectory } from './own-directory.ts'
import { findOwner, giveTo } from './postgres/owner.ts'
import { findTemporaryDirectory } from './postgres/directories.ts'
import { startOnFreePort } from './ports.ts'
import { spawnManaged, waitUntilReady } from './processes.ts'
import type { Server } from './server.ts'

export interface PgBouncerOptions {
  poolMode: 'session' | 'transaction'
  /** Of those that a client names at its start, what PgBouncer passes over instead of refusing it. */
  ignoreStartupParameters: string
}

/** PgBouncer in front of that database, for any user. Throws where there is none: `needs('pgbouncer')`. */
export async function startPgBouncer (databaseUrl: string, options: PgBouncerOptions): Promise<Server> {
  const program = getServerUrl('pgbouncer')
  return await startInOwnDirectory(await findTemporaryDirectory(), 'pgbouncer', async directory =>
    await startOnFreePort(async port => await startServer(program, directory, port, databaseUrl, options)))
}

async function startServer (
  program: string, directory: string, port: number, databaseUrl: string, options: PgBouncerOptions
): Promise<Server> {
  const { hostname, port: databasePort, username, password, pathname } = new URL(databaseUrl)
  const owner = await findOwner(directory) // it does not run as root
  const file = join(directory, 'pgbouncer.ini')
  await writeFile(file, [
    '[databases]',
    `* = host=${hostname} port=${databasePort} user=${username} password=${password}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${options.poolMode}`,
    `ignore_startup_parameters = ${options.ignoreStartupParameters}`,
    'max_client_conn = 500',
    'default_pool_size = 100',
    '',
  ].join('\n'), { mode: 0o600 })
  await giveTo(owner, directory)
  await giveTo(owner, file)
  let sayReady: () => void
  const ready = new Promise<void>(resolve => { sayReady = resolve })
  const server = await spawnManaged(program, [file], {
    name: 'PgBouncer',
    env: { PATH: process.env.PATH },
    cwd: '/',
    owner,
    stopSignal: 'SIGTERM', // at once
    onLine: line => { if (line.includes('process up')) sayReady() },
    temporaryDirectory: directory,
  })
  await waitUntilReady(server, ready, { name: 'PgBouncer', timeoutMs: 20_000 })
  return { url: `postgres://anybody@127.0.0.1:${port}${pathname}`, stop: server.stop }
}
