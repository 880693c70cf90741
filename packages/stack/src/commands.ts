import { processError, spawnManaged, type ManagedProcess } from './processes.ts'
import { inRepository } from './workspace.ts'

export interface CommandOptions {
  args?: string[]
  /** Options of Node itself. */
  nodeOptions?: string[]
  env?: NodeJS.ProcessEnv
  onLine?: (line: string) => void
}

/** Of a run of all tests (run-tests.ts). */
const ofBundles = process.env.TEST_BUNDLES === '1' ? [`--import=${new URL('bundles/run.ts', import.meta.url).href}`] : []

/** A script of the repository in a Node process of its own: never `node` from PATH, which npm's wrapper or an old one may be. */
export async function startScript (
  path: string, { args = [], nodeOptions = [], env = {}, onLine }: CommandOptions = {}
): Promise<ManagedProcess> {
  return await spawnManaged(process.execPath, [...ofBundles, ...nodeOptions, inRepository(path), ...args], {
    name: path, env: { ...process.env, ...env }, onLine,
  })
}

/**
 * A worker, with what keeps a process of several threads small: allocations of all threads from two arenas of the C library
 * instead of one for each, and no room for garbage that the main thread does not make.
 */
export async function startWorker ({ env, ...options }: CommandOptions): Promise<ManagedProcess> {
  return await startScript('apps/worker/src/main.ts', {
    ...options, nodeOptions: ['--max-semi-space-size=2'], env: { MALLOC_ARENA_MAX: '2', ...env },
  })
}

/**
 * Runs a script to its end and returns its exit code; rejects with its last lines unless that is an accepted one, and ends it when the
 * signal is aborted.
 */
export async function runScript (
  path: string, { accepted = [0], signal, ...options }: CommandOptions & { accepted?: number[], signal?: AbortSignal } = {}
): Promise<number> {
  signal?.throwIfAborted()
  const script = await startScript(path, options)
  const onAbort = (): void => { script.stop().catch(() => {}) }
  signal?.addEventListener('abort', onAbort)
  const { how, code } = await script.ended
  signal?.removeEventListener('abort', onAbort)
  signal?.throwIfAborted()
  if (code === null || !accepted.includes(code)) throw processError(path, `failed (${how})`, script)
  return code
}
