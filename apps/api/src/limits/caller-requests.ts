import { TokenBuckets } from './token-buckets.ts'

const minuteMs = 60_000
/**
 * The requests of a minute are divided into so many slices: a process counts the first by itself, and takes each further one from the
 * shared count.
 */
const slices = 20
/** Callers whose slice is remembered. */
const capacity = 10_000

/** Takes `count` requests of a caller for this process; false: fewer are left this minute. */
export type TakeShared = (caller: string, count: number, perMinute: number) => Promise<boolean>

/**
 * The requests of a caller in any minute, over all API processes. The shared count costs a statement, about as much as a request: so a
 * process counts by itself while a caller sends little, and takes more a slice at a time. A caller may send `perMinute` requests at once,
 * then evenly, and a slice more for each process.
 */
export class CallerRequests {
  readonly #unshared = new TokenBuckets({})
  /** By caller: the requests left of a slice, or until when the shared count has none. */
  readonly #slices = new Map<string, { left: number, refusedUntil: number }>()
  readonly #asking = new Map<string, Promise<void>>()
  readonly #takeShared: TakeShared

  constructor (takeShared: TakeShared) {
    this.#takeShared = takeShared
  }

  /** Takes one request. Resolves with 0, or with the milliseconds until there is one. */
  async take (caller: string, perMinute: number): Promise<number> {
    if (this.#unshared.take(caller, minuteMs, toSlice(perMinute)).waitMs === 0) return 0
    for (;;) {
      const slice = this.#slices.get(caller)
      if (slice !== undefined && slice.left > 0) {
        slice.left--
        return 0
      }
      const waitMs = (slice?.refusedUntil ?? 0) - performance.now()
      if (waitMs > 0) return waitMs
      await (this.#asking.get(caller) ?? this.#ask(caller, perMinute))
    }
  }

  /** One statement at a time for all waiting requests of a caller. */
  async #ask (caller: string, perMinute: number): Promise<void> {
    const asking = this.#askOnce(caller, perMinute).finally(() => { this.#asking.delete(caller) })
    this.#asking.set(caller, asking)
    await asking
  }

  async #askOnce (caller: string, perMinute: number): Promise<void> {
    const slice = toSlice(perMinute)
    const isTaken = await this.#takeShared(caller, slice, perMinute)
    this.#slices.delete(caller)
    this.#slices.set(caller, isTaken
      ? { left: slice, refusedUntil: 0 }
      : { left: 0, refusedUntil: performance.now() + slice * minuteMs / perMinute })
    const [oldest] = this.#slices.keys()
    if (this.#slices.size > capacity && oldest !== undefined) this.#slices.delete(oldest)
  }
}

function toSlice (perMinute: number): number {
  return Math.max(1, Math.floor(perMinute / slices))
}
