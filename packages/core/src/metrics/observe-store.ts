import { tellCalls, type ContentStore, type StoreCall } from '../store/index.ts'
import type { SharedMetrics } from './definitions.ts'

/** The same store, whose calls are counted. */
export function observeStore (store: ContentStore, metrics: StoreMetrics): ContentStore {
  return tellCalls(store, (call) => { countCall(metrics, call) })
}

export function countCall ({ storeCalls, storeFailures }: StoreMetrics, { operation, seconds, failure }: StoreCall): void {
  storeCalls.observe({ operation }, seconds)
  if (failure !== undefined) storeFailures.inc({ operation, code: failure })
}

type StoreMetrics = Pick<SharedMetrics, 'storeCalls' | 'storeFailures'>
