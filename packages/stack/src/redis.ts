import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError } from './command-error.ts'
import { optionalServers } from './optional-servers.ts'
import { spawnManaged, waitUntilReady } from './processes.ts'
import { startOnFreePort } from './ports.ts'
import { findProgram } from './programs.ts'
import type { Server } from './server.ts'

/** An empty Redis of our own, on that port or a free one. Throws where `hasRedis` is false. */
export async function startRedis (port?: number, isClusterNode = false): Promise<Server> {
  const program = await findProgram(optionalServers.redis.program)
  if (program === undefined) throw new CommandError(`there is no redis-server on PATH. ${optionalServers.redis.how}`)
  return port === undefined
    ? await startOnFreePort(async port => await startServer(program, port, isClusterNode))
    : await startServer(program, port, isClusterNode)
}

export async function hasRedis (): Promise<boolean> {
  return await findProgram(optionalServers.redis.program) !== undefined
}

async function startServer (program: string, port: number, isClusterNode: boolean): Promise<Server> {
  const directory = await mkdtemp(join(tmpdir(), 'fhir-bulk-export-redis-'))
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    save: '', // nothing is written to disk
    appendonly: 'no',
    'maxmemory-policy': 'noeviction', // as BullMQ demands
    daemonize: 'no',
    'cluster-enabled': isClusterNode ? 'yes' : 'no',
  }
  let sayReady: () => void
  const ready = new Promise<void>(resolve => { sayReady = resolve })
  const removeTemporary = async (): Promise<void> => await rm(directory, { recursive: true, force: true })
  try {
    const server = await spawnManaged(program, Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]), {
      name: 'Redis',
      env: { PATH: process.env.PATH },
      cwd: directory,
      onLine: line => { if (line.includes('Ready to accept connections')) sayReady() },
      temporaryDirectory: directory,
    })
    await waitUntilReady(server, ready, { name: 'Redis', timeoutMs: 20_000 })
    const stop = async (): Promise<void> => {
      await server.stop()
      await removeTemporary()
    }
    return { url: `redis://127.0.0.1:${port}/0`, stop }
  } catch (error) {
    await removeTemporary()
    throw error
  }
}
