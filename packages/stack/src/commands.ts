import { processError, spawnManaged, type ManagedProcess } from './processes.ts'
import { inRepository } from './workspace.ts'

export interface CommandOptions {
  args?: string[]
  env?: NodeJS.ProcessEnv
  onLine?: (line: string) => void
}

/** A script of the repository in a Node process of its own: never `node` from PATH, which npm's wrapper or an old one may be. */
export async function startScript (path: string, { args = [], env = {}, onLine }: CommandOptions = {}): Promise<ManagedProcess> {
  return await spawnManaged(process.execPath, [inRepository(path), ...args], { name: path, env: { ...process.env, ...env }, onLine })
}

/** Runs a script to its end and returns its exit code; rejects with its last lines unless that is an accepted one, and ends it when the signal is aborted. */
export async function runScript (path: string, { accepted = [0], signal, ...options }: CommandOptions & { accepted?: number[], signal?: AbortSignal } = {}): Promise<number> {
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
