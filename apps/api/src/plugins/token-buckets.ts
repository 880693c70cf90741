import type { FastifyRateLimitStore } from '@fastify/rate-limit'

/** Keys at most; the one that was not seen for the longest time is forgotten first. */
const capacity = 50_000

/**
 * A store for @fastify/rate-limit that fills up steadily: `max` requests at once, then one each `timeWindow / max`. Its own
 * store counts in fixed windows, which lets twice as many through where two of them meet and makes a client wait for the whole
 * next one. This is GCRA (ITU-T I.371): a key's only state is the time at which its bucket will be full again, so a refused
 * request changes nothing.
 */
export class TokenBuckets implements FastifyRateLimitStore {
  readonly #fullAt = new Map<string, number>()
  readonly #clock: () => number

  /** The plugin hands its options over; none of them is of use here. `clock`: milliseconds. */
  constructor (_options: object, clock = () => performance.now()) {
    this.#clock = clock
  }

  incr: FastifyRateLimitStore['incr'] = (key, callback, timeWindow, max) => {
    const now = this.#clock()
    const cost = timeWindow / max
    const emptyFor = Math.max(this.#fullAt.get(key) ?? 0, now) - now
    if (emptyFor + cost > timeWindow) {
      callback(null, { current: max + 1, ttl: emptyFor + cost - timeWindow })
      return
    }
    this.#fullAt.delete(key)
    this.#fullAt.set(key, now + emptyFor + cost)
    const [oldest] = this.#fullAt.keys()
    if (this.#fullAt.size > capacity && oldest !== undefined) this.#fullAt.delete(oldest)
    callback(null, { current: Math.ceil((emptyFor + cost) / cost), ttl: emptyFor + cost })
  }

  child (): TokenBuckets {
    return new TokenBuckets({}, this.#clock)
  }
}
