import type { StoreUsage } from '../content-store.ts'
import type { KuboEndpoint } from './endpoint.ts'
import { callForLine } from './rpc.ts'

/** Of the repository; without counting its blocks, which takes a node minutes. */
export async function readUsage (endpoint: KuboEndpoint, signal: AbortSignal): Promise<StoreUsage> {
  const { RepoSize: used, StorageMax: capacity } = await callForLine(endpoint, 'repo/stat', { parameters: { 'size-only': 'true' }, signal })
  if (typeof used === 'number' && typeof capacity === 'number') return { used, capacity }
  throw new Error('The node did not say how large its repository is')
}
