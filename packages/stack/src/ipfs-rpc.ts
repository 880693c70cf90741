import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Server } from './server.ts'

// js-ipfs stands outside of the workspace: 726 packages and 245 MB that only development and tests need.
const home = join(import.meta.dirname, '..', 'ipfs-rpc')
const installed = join(home, 'node_modules')
const manifests = ['package.json', 'package-lock.json']
const START_MS = 60_000
const STOP_MS = 5_000

/**
 * Runs `npm ci` (about 45 s) unless the folder has what its lock file says. Processes may do so at the same time: each installs into
 * a folder of its own, and one of them is moved into place, so a half-made installation is never seen.
 */
export async function ensureIpfsRpcInstalled (): Promise<void> {
  const wanted = createHash('sha256')
  for (const name of manifests) wanted.update(await readFile(join(home, name)))
  const stamp = wanted.digest('hex')
  if (await readStamp(installed) === stamp) return

  const staging = await mkdtemp(join(home, '.install-'))
  try {
    for (const name of manifests) await copyFile(join(home, name), join(staging, name))
    await runNpmCi(staging)
    const made = join(staging, 'node_modules')
    await writeFile(stampOf(made), stamp)
    if (await readStamp(installed) === stamp) return
    await rename(installed, join(staging, 'old')).catch(ignoreMissing)
    await rename(made, installed).catch(async (error: unknown) => {
      if (await readStamp(installed) !== stamp) throw error
    })
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

/** A real IPFS RPC node on 127.0.0.1 and a free port, which talks to no other node. `repo` is a folder, made if it is missing. */
export async function startIpfsRpc ({ repo }: { repo: string }): Promise<Server> {
  await ensureIpfsRpcInstalled()
  // process.execPath: `node` on PATH may be a shell wrapper, which a signal ends without Node. Detached: Ctrl-C reaches only us, and we
  // decide when it stops. Its stdin is what ties its life to ours should we be killed.
  const child = spawn(process.execPath, [join(home, 'serve.mjs'), repo], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  const errors = collectTail(child)
  const exited = once(child, 'exit')
  const line = Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    exited.then(([code]) => { throw new Error(`The IPFS RPC node ended with ${String(code)} at its start: ${errors()}`) }),
  ])
  const slow = setTimeout(() => child.kill('SIGKILL'), START_MS)
  try {
    const [json] = await line
    const { url }: { url: string } = JSON.parse(String(json))
    return { url, stop: () => stop(child, exited) }
  } finally {
    clearTimeout(slow)
  }
}

async function stop (child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM')
  const slow = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await exited
  clearTimeout(slow)
}

/** The npm on PATH, of whatever Node: js-ipfs only runs on ours, but needs no build. */
async function runNpmCi (cwd: string): Promise<void> {
  const npm = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  const errors = collectTail(npm)
  const [code] = await once(npm, 'close')
  if (code !== 0) throw new Error(`npm ci in packages/stack/ipfs-rpc ended with ${String(code)}: ${errors()}`)
}

/** Reads a child's stderr (and leaves no pipe to fill up); gives its last 2,000 characters. */
function collectTail (child: ChildProcess): () => string {
  let tail = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => { tail = (tail + text).slice(-2_000) })
  return () => tail.trim()
}

const stampOf = (folder: string) => join(folder, '.installed')

async function readStamp (folder: string): Promise<string | undefined> {
  return await readFile(stampOf(folder), 'utf8').catch(ignoreMissing)
}

function ignoreMissing (error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
