import { ServiceError } from '../../errors.ts'
import type { KuboEndpoint } from './endpoint.ts'
import { callForLines } from './rpc.ts'

/**
 * Kubo begins a collection when the last running add has ended, lets no new add begin meanwhile, and goes on waiting after its caller
 * has left. So one add that hangs (a worker that is paused, a connection that died unseen) would stop all exports. With an add that
 * has been running for longer than `longAddMs` nothing is collected.
 */
export async function collectGarbage (endpoint: KuboEndpoint, longAddMs: number, signal: AbortSignal): Promise<void> {
  const runningMs = await longestAdd(endpoint, signal)
  if (runningMs > longAddMs) {
    throw new ServiceError('STORE_FAILED',
    `The IPFS node has been adding a file for ${Math.round(runningMs / 1_000)} s: its garbage collection would hold up all others`)
  }
  for await (const { Error: message } of callForLines(endpoint, 'repo/gc', { parameters: { 'stream-errors': 'true' }, signal })) {
    if (message !== undefined && message !== '') throw new Error(String(message))
  }
}

interface Running { Command: string, Active: boolean, StartTime: string }

/** By the node's own clock: its list ends with this request. In milliseconds; 0 without any. */
async function longestAdd (endpoint: KuboEndpoint, signal: AbortSignal): Promise<number> {
  const commands: Running[] = []
  for await (const list of callForLines(endpoint, 'diag/cmds',
    { parameters: {}, signal })) commands.push(...Object.values(list) as Running[])
  const active = commands.filter(({ Active: isActive }) => isActive).map(({ Command: command, StartTime: time }) => ({
    command,
    startedMs: Date.parse(time)
  }))
  const nowMs = Math.max(...active.map(({ startedMs }) => startedMs))
  return Math.max(0, ...active.filter(({ command }) => command === 'add').map(({ startedMs }) => nowMs - startedMs))
}
