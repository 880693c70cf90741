import type { FastifyRateLimitStore } from '@fastify/rate-limit'

/** Keys. The least recently used one is forgotten first. */
const capacity = 50_000

/**
 * A store for @fastify/rate-limit: `max` requests at once, then one each `timeWindow / max`. The plugin's own store counts in fixed
 * windows: it lets twice as many through where two windows meet, and then makes a client wait for a whole window. This is GCRA
 * (ITU-T I.371): the only state of a key is the time at which its bucket is full again, so a refused request changes nothing.
 */
export class TokenBuckets implements FastifyRateLimitStore {
  readonly #fullAt = new Map<string, number>()
  readonly #clock: () => number

  /** The plugin passes options, which are not used. `clock`: milliseconds. */
  constructor (_options: object, clock = () => performance.now()) {
    this.#clock = clock
  }

  /** Takes one request. `waitMs`: until there is one, 0 if it was taken. `emptyMs`: until the bucket is full again. */
  take (key: string, timeWindow: number, max: number): { waitMs: number, emptyMs: number } {
    const now = this.#clock()
    const cost = timeWindow / max
    const emptyMs = Math.max(this.#fullAt.get(key) ?? 0, now) - now
    if (emptyMs + cost > timeWindow) return { waitMs: emptyMs + cost - timeWindow, emptyMs }
    this.#fullAt.delete(key)
    this.#fullAt.set(key, now + emptyMs + cost)
    const [oldest] = this.#fullAt.keys()
    if (this.#fullAt.size > capacity && oldest !== undefined) this.#fullAt.delete(oldest)
    return { waitMs: 0, emptyMs: emptyMs + cost }
  }

  incr: FastifyRateLimitStore['incr'] = (key, callback, timeWindow, max) => {
    const { waitMs, emptyMs } = this.take(key, timeWindow, max)
    callback(null, waitMs > 0 ? { current: max + 1, ttl: waitMs } : { current: Math.ceil(emptyMs * max / timeWindow), ttl: emptyMs })
  }

  child (): TokenBuckets {
    return new TokenBuckets({}, this.#clock)
  }
}
