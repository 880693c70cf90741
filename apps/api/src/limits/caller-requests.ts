import { TokenBuckets } from './token-buckets.ts'

const minuteMs = 60_000
/** Of a minute's requests: what a process lets through by itself, and what it then takes from the others' share at a time. */
const slices = 20
/** Callers at most that are remembered to have taken a slice, or to have got none. */
const capacity = 10_000

/** Takes so many requests of a caller for this process; false: there are not so many left this minute. */
export type TakeShared = (caller: string, count: number, perMinute: number) => Promise<boolean>

/**
 * The requests of a caller in any minute, over all API processes. The count that they share costs a statement, and a request that
 * it saves costs about one: so a process counts by itself as long as a caller asks little, and takes what is above that a slice at
 * a time. A caller is let through at most `perMinute` requests at once, then evenly, and a slice more for each process.
 */
export class CallerRequests {
  readonly #quiet = new TokenBuckets({})
  /** Requests of a slice that are left, or until when there is none to be had. */
  readonly #slices = new Map<string, { left: number, refusedUntil: number }>()
  readonly #asking = new Map<string, Promise<void>>()
  readonly #takeShared: TakeShared

  constructor (takeShared: TakeShared) {
    this.#takeShared = takeShared
  }

  /** Takes one request. Resolves with 0, or with the milliseconds after which there will be one. */
  async take (caller: string, perMinute: number): Promise<number> {
    if (this.#quiet.take(caller, minuteMs, toSlice(perMinute)).waitMs === 0) return 0
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

  /** One statement at a time, however many requests of the caller wait for it. */
  async #ask (caller: string, perMinute: number): Promise<void> {
    const asking = this.#askOnce(caller, perMinute).finally(() => { this.#asking.delete(caller) })
    this.#asking.set(caller, asking)
    await asking
  }

  async #askOnce (caller: string, perMinute: number): Promise<void> {
    const slice = toSlice(perMinute)
    const isTaken = await this.#takeShared(caller, slice, perMinute)
    this.#slices.delete(caller)
    this.#slices.set(caller, isTaken ? { left: slice, refusedUntil: 0 } : { left: 0, refusedUntil: performance.now() + slice * minuteMs / perMinute })
    const [oldest] = this.#slices.keys()
    if (this.#slices.size > capacity && oldest !== undefined) this.#slices.delete(oldest)
  }
}

function toSlice (perMinute: number): number {
  return Math.max(1, Math.floor(perMinute / slices))
}
