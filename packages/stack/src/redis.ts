import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnManaged, waitUntilReady } from './processes.ts'
import { startOnFreePort } from './ports.ts'
import { findProgram } from './programs.ts'
import type { Server } from './server.ts'

export const redisInstallLine = 'apt-get install redis-server'

/**
 * The Redis of `REDIS_URL`, which is somebody's and only borrowed (own key prefixes, never a flush), or a process of our own
 * from `redis-server` on PATH, or undefined where there is neither.
 */
export async function startRedis (): Promise<Server | undefined> {
  const url = process.env.REDIS_URL
  if (url !== undefined && url !== '') return { url, stop: async () => {} }
  return await startOwnRedis()
}

/** An empty one of our own, on that port or a free one; undefined where there is no `redis-server` on PATH. */
export async function startOwnRedis (port?: number): Promise<Server | undefined> {
  const program = await findProgram('redis-server')
  if (program === undefined) return undefined
  return port === undefined ? await startOnFreePort(async port => await startServer(program, port)) : await startServer(program, port)
}

async function startServer (program: string, port: number): Promise<Server> {
  const directory = await mkdtemp(join(tmpdir(), 'fhir-bulk-export-redis-'))
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    save: '', // nothing is written to disk
    appendonly: 'no',
    'maxmemory-policy': 'noeviction', // as BullMQ demands
    daemonize: 'no',
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
