import type { Actor } from '@fhir-bulk-export/core/audit'

/** Pairs of caller and status that are counted apart; the rest is counted by status alone. */
const capacity = 1_000

export interface Refusals { event: 'refused' | 'token-refused', by: Actor, status: number, count: number }

/** Refusals by caller and status since the last `take`. */
export class RefusalCounts {
  #counts = new Map<string, Refusals>()
  #since = new Date()

  add ({ event, by, status, count }: Refusals): void {
    const known = `${event} ${status} ${by.requester}`
    const isTold = this.#counts.has(known) || this.#counts.size < capacity
    const key = isTold ? known : `${event} ${status}`
    const counted = this.#counts.get(key) ?? { event, by: isTold ? by : {}, status, count: 0 }
    counted.count += count
    this.#counts.set(key, counted)
  }

  take (): { since: Date, refusals: Refusals[] } {
    const taken = { since: this.#since, refusals: [...this.#counts.values()] }
    this.#counts = new Map()
    this.#since = new Date()
    return taken
  }

  /** For refusals that could not be written down: the next `take` has them. */
  giveBack ({ since, refusals }: { since: Date, refusals: Refusals[] }): void {
    for (const refused of refusals) this.add(refused)
    this.#since = since
  }
}
