import { execFile } from 'node:child_process'
import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CommandError } from '../command-error.ts'
import { spawnManaged, waitUntilReady } from '../processes.ts'
import { optionalServers } from '../optional-servers.ts'
import type { Server } from '../server.ts'
import { findKubo } from './program.ts'

export interface Kubo extends Server {
  /** Where `GET /ipfs/<CID>` is answered. */
  gatewayUrl: string
  pid: number
}

export interface KuboOptions {
  /** IPFS_PATH: a folder, made and filled if it is not there. */
  repo: string
  /** Further arguments of `ipfs daemon`. */
  args?: string[]
}

const START_MS = 60_000

/** A node on 127.0.0.1 and free ports that talks to no other node and to no service of its makers. */
export async function startKubo ({ repo, args = [] }: KuboOptions): Promise<Kubo> {
  if (!await access(join(repo, 'config')).then(() => true, () => false)) await initKubo(repo)
  const addresses: Record<string, string> = {}
  let sayReady: () => void
  const ready = new Promise<void>(resolve => { sayReady = resolve })
  const node = await spawnManaged(await getKubo(), ['daemon', '--offline', ...args], {
    name: 'Kubo',
    env: kuboEnvironment(repo),
    onLine (line) {
      const [, name, address] = /^(RPC API|Gateway) server listening on (\S+)/.exec(line) ?? []
      if (name !== undefined && address !== undefined) addresses[name] = toUrl(address)
      if (line.includes('Daemon is ready')) sayReady()
    },
  })
  await waitUntilReady(node, ready, { name: 'Kubo', timeoutMs: START_MS })
  const { 'RPC API': url, Gateway: gatewayUrl } = addresses
  if (url === undefined || gatewayUrl === undefined) throw new CommandError('Kubo did not say where it listens')
  return { url, gatewayUrl, pid: node.pid, stop: node.stop }
}

/** An empty repository of a node that knows no peer, announces nothing and listens on free ports of 127.0.0.1. */
export async function initKubo (repo: string): Promise<void> {
  await runKubo(repo, ['init', '--empty-repo', '--profile=test'])
  const path = join(repo, 'config')
  const config = JSON.parse(await readFile(path, 'utf8'))
  config.Addresses.Swarm = []
  config.Routing.Type = 'none'
  config.Provide.Enabled = false
  await writeFile(path, JSON.stringify(config))
}

/** One command of the program; what it printed. */
export async function runKubo (repo: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(await getKubo(), args, { env: kuboEnvironment(repo), maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

async function getKubo (): Promise<string> {
  const program = await findKubo()
  if (program === undefined) throw new CommandError(`There is no Kubo. ${optionalServers.kubo.how}`)
  return program
}

const kuboEnvironment = (repo: string) => ({ PATH: process.env.PATH, HOME: repo, IPFS_PATH: repo, IPFS_TELEMETRY: 'off' })

/** `/ip4/127.0.0.1/tcp/5001` */
function toUrl (address: string): string {
  const [, , host, , port] = address.split('/')
  return `http://${host}:${port}`
}
