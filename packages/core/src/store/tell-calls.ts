import { isServiceError } from '../errors.ts'
import type { CallOptions, ContentStore } from './content-store.ts'

/** `failure`: the error's code, where the store failed; an abort, and a source that broke, are no failures of the store. */
export interface StoreCall { operation: string, seconds: number, failure: string | undefined }

/** The same store, which tells of each call when it is over. */
export function tellCalls (store: ContentStore, tell: (call: StoreCall) => void): ContentStore {
  async function observe<T> (operation: string, options: CallOptions | undefined, work: () => Promise<T>): Promise<T> {
    const end = begin(operation, options)
    try {
      const result = await work()
      end()
      return result
    } catch (error) {
      end(error)
      throw error
    }
  }

  async function * observeEach<T> (operation: string, options: CallOptions | undefined, items: AsyncIterable<T>): AsyncGenerator<T> {
    const end = begin(operation, options)
    try {
      yield * items
      end()
    } catch (error) {
      end(error)
      throw error
    }
  }

  function begin (operation: string, options: CallOptions | undefined): (error?: unknown) => void {
    const begun = performance.now()
    return (error) => {
      const isStores = options?.signal?.aborted !== true && isServiceError(error) && error.code.startsWith('STORE_')
      tell({ operation, seconds: (performance.now() - begun) / 1_000, failure: isStores ? error.code : undefined })
    }
  }

  return {
    put: async (key, chunks, options) => await observe('put', options, async () => await store.put(key, chunks, options)),
    read: (file, range, options) => observeEach('read', options, store.read(file, range, options)),
    drop: async (file, options) => { await observe('drop', options, async () => { await store.drop(file, options) }) },
    list: (options) => observeEach('list', options, store.list(options)),
    collectGarbage: async (options) => { await observe('collect_garbage', options, async () => { await store.collectGarbage(options) }) },
    findExposures: async (options) => await observe('find_exposures', options, async () => await store.findExposures(options)),
    getUsage: async (options) => await observe('get_usage', options, async () => await store.getUsage(options)),
    ping: async (options) => { await observe('ping', options, async () => { await store.ping(options) }) },
    close: store.close,
  }
}
