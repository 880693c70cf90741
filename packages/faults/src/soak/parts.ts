import { chmod, mkdir, mkdtemp, readFile, realpath, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { startKubo } from '@fhir-bulk-export/stack/kubo'
import { findFreePort } from '@fhir-bulk-export/stack/ports'
import { startPostgres } from '@fhir-bulk-export/stack/postgres'
import { startProxy } from '@fhir-bulk-export/stack/proxy'
import { hasRedis, startRedis } from '@fhir-bulk-export/stack/redis'
import type { Scope } from '@fhir-bulk-export/stack/scope'

/** What the service stands on, each of which can be taken away and given back. */
export interface Parts {
  databaseUrl: string
  queueUrl: string
  storeUrl: string
  /** Away for so long; `immediate` is a crash, after which PostgreSQL has to recover. */
  restartPostgres: (how: 'fast' | 'immediate', awayMs: number) => Promise<void>
  /** Undefined where the queue is in PostgreSQL. It comes back empty. */
  emptyRedis: ((awayMs: number) => Promise<void>) | undefined
  cutStore: (awayMs: number) => Promise<void>
}

export async function openParts (scope: Scope, storeKind: 'folder' | 'node'): Promise<Parts> {
  const directory = await mkdtemp(join(tmpdir(), 'fhir-bulk-export-soak-'))
  await chmod(directory, 0o711) // whom PostgreSQL runs as must be able to walk through
  scope.add({ stop: async () => { await rm(directory, { recursive: true, force: true }) } })
  const postgres = await openPostgres(scope, join(directory, 'postgres'))
  const redis = await openRedis(scope)
  const store = storeKind === 'folder' ? await openFolder(directory) : await openNode(scope, directory)
  return {
    databaseUrl: postgres.url,
    queueUrl: redis?.url ?? postgres.url,
    storeUrl: store.url,
    restartPostgres: postgres.restart,
    emptyRedis: redis?.restart,
    cutStore: store.cut,
  }
}

async function openPostgres (scope: Scope, dataDirectory: string) {
  const port = await findFreePort()
  const start = async () => await startPostgres({ dataDirectory, port })
  let server = await start()
  scope.add({
    async stop () {
      await server.stop()
      await rm(await realpath(dataDirectory), { recursive: true, force: true }) // it may lie elsewhere (stack's placeDataDirectory)
    },
  })

  async function restart (how: 'fast' | 'immediate', awayMs: number): Promise<void> {
    const [pid] = (await readFile(join(dataDirectory, 'cluster', 'postmaster.pid'), 'utf8')).split('\n')
    if (how === 'immediate') process.kill(Number(pid), 'SIGQUIT')
    await server.stop()
    await delay(awayMs)
    server = await untilStarted(start)
  }
  return { url: server.url, restart }
}

async function openRedis (scope: Scope) {
  const port = await findFreePort()
  if (!await hasRedis()) return undefined
  let server = await startRedis(port)
  scope.add({ stop: async () => { await server.stop() } })

  async function restart (awayMs: number): Promise<void> {
    await server.stop()
    await delay(awayMs)
    server = await untilStarted(async () => await startRedis(port))
  }
  return { url: server.url, restart }
}

/**
 * A link that leads to the files, or nowhere. A folder that is renamed away would be made anew by the first process that starts
 * meanwhile; a mount point without its disk has the same trap, and is no fault that a service could see.
 */
async function openFolder (directory: string) {
  const link = join(directory, 'store')
  const files = join(directory, 'files')
  await mkdir(files, { mode: 0o700 })

  async function lead (target: string): Promise<void> {
    await symlink(target, `${link}.new`)
    await rename(`${link}.new`, link)
  }

  await lead(files)
  async function cut (awayMs: number): Promise<void> {
    await lead(join(directory, 'nowhere'))
    await delay(awayMs)
    await lead(files)
  }
  return { url: pathToFileURL(link).href, cut }
}

async function openNode (scope: Scope, directory: string) {
  const node = scope.add(await startKubo({ repo: join(directory, 'ipfs') }))
  const proxy = await startProxy({ teardown: (stop) => { scope.add({ stop }) } }, node.url)
  async function cut (awayMs: number): Promise<void> {
    proxy.cut()
    await delay(awayMs)
    proxy.mend()
  }
  return { url: proxy.url, cut }
}

/** Its port may be taken for a moment by an outgoing connection. */
async function untilStarted<S> (start: () => Promise<S>): Promise<S> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (attempt === 30) throw error
      await delay(1_000)
    }
  }
}
