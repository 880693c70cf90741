import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError } from './command-error.ts'
import { optionalServers } from './optional-servers.ts'
import { startInOwnDirectory } from './own-directory.ts'
import { startOnFreePort } from './ports.ts'
import { spawnManaged, waitUntilReady } from './processes.ts'
import { findProgram } from './programs.ts'
import type { Server } from './server.ts'

/** A sentinel of our own: it knows the master on that port as `name`, decides alone, and takes it for dead after a quarter of a second. */
export async function startSentinel (name: string, masterPort: number): Promise<Server> {
  const program = await findProgram(optionalServers.redis.program)
  if (program === undefined) throw new CommandError(`there is no redis-server on PATH. ${optionalServers.redis.how}`)
  return await startInOwnDirectory(tmpdir(), 'sentinel', async directory =>
    await startOnFreePort(async port => await startServer(program, { directory, port, name, masterPort })))
}

interface SentinelOptions { directory: string, port: number, name: string, masterPort: number }

async function startServer (program: string, { directory, port, name, masterPort }: SentinelOptions): Promise<Server> {
  const file = join(directory, 'sentinel.conf') // which it writes to
  await writeFile(file, [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    'daemonize no',
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 1`,
    `sentinel down-after-milliseconds ${name} 250`,
    `sentinel failover-timeout ${name} 2000`,
    '',
  ].join('\n'))
  let sayReady: () => void
  const ready = new Promise<void>(resolve => { sayReady = resolve })
  const server = await spawnManaged(program, [file, '--sentinel'], {
    name: 'the sentinel',
    env: { PATH: process.env.PATH },
    cwd: directory,
    onLine: line => { if (line.includes('+monitor master')) sayReady() },
    temporaryDirectory: directory,
  })
  await waitUntilReady(server, ready, { name: 'the sentinel', timeoutMs: 20_000 })
  return { url: `redis://127.0.0.1:${port}`, stop: server.stop }
}
