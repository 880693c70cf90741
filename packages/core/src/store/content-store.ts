/**
 * Where files are kept: content-addressed, each file pinned by a pin of its own, so that dropping one export's file can
 * never take away another's equal bytes. There are two: a folder of flat files (folder/), and a Kubo node's RPC API (kubo/).
 *
 * Every call takes an AbortSignal, and an abort rejects with the signal's reason. Calls to a node also have deadlines of their own
 * (STORE_FAILED); a local folder's have none.
 */

/** `<export id>.<attempt>.<n>.ndjson`: names one file of one attempt, for ever; it is never used for other bytes. */
export type FileKey = string

export interface StoredFile {
  key: FileKey
  /** CIDv0 of the bytes, as `ipfs add` makes it. */
  cid: string
  /** What keeps the bytes: on Kubo the CID of the file's own directory; a folder needs none. */
  pin: string | null
  /** Bytes. */
  size: number
}

/** What `read` and `drop` need to know of a stored file. */
export type FileHandle = Pick<StoredFile, 'key' | 'cid' | 'pin' | 'size'>

export interface CallOptions { signal?: AbortSignal | undefined }

/** Half-open: `start` ≤ byte < `end`. */
export interface ByteRange { start: number, end: number }

/** Bytes. */
export interface StoreUsage { used: number, capacity: number }

export interface ContentStore {
  /**
   * Stores the stream and pins it; durable when it resolves. Chunks are consumed with back-pressure; the caller may reuse one after the
   * next is asked for. However it ends, the source is ended too; it rejects with an error of the source.
   */
  put: (key: FileKey, chunks: AsyncIterable<Uint8Array>, options?: CallOptions) => Promise<StoredFile>
  /**
   * Streams the file or a range of it. A store that ends early or does not find the bytes makes the iteration throw (STORE_SHORT,
   * STORE_NOT_FOUND, STORE_FAILED): it never ends cleanly.
   */
  read: (file: FileHandle, range?: ByteRange, options?: CallOptions) => AsyncIterable<Uint8Array>
  /** Takes the pin away. Dropping what is not there counts as done. Without a known `pin` a Kubo store does nothing: `list` finds it. */
  drop: (file: Pick<StoredFile, 'key' | 'pin'>, options?: CallOptions) => Promise<void>
  /** The files under our keys, whole or half-written. Pins that are not ours are never listed. */
  list: (options?: CallOptions) => AsyncIterable<Pick<StoredFile, 'key' | 'pin'>>
  /**
   * Gives the space of what was dropped back. A store that cannot do so within its deadline rejects, and is no worse than before;
   * what is pinned, or being stored meanwhile, stays whole.
   */
  collectGarbage: (options?: CallOptions) => Promise<void>
  /**
   * What makes the store's content readable to others than those who may use the store, a sentence each, without secrets. Empty
   * only if it can be seen that nothing does.
   */
  findExposures: (options?: CallOptions) => Promise<string[]>
  /**
   * What its disk has: of a folder the file system's, of a node those of its repository and `StorageMax`. Other files there
   * counts.
   */
  getUsage: (options?: CallOptions) => Promise<StoreUsage>
  /** Rejects when the store cannot be used now. */
  ping: (options?: CallOptions) => Promise<void>
  close: () => Promise<void>
}
