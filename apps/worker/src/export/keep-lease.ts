import { setTimeout as delay } from 'node:timers/promises'
import { Interruption } from '../interruption.ts'

const beatMs = 500

export interface HeldLease {
  leaseMs: number
  /** 'held', or why the holder must stop. */
  renew: () => Promise<'held' | 'cancelled' | 'lost'>
  interrupt: (interruption: Interruption) => void
  onError: (error: unknown) => void
}

/**
 * Renews the lease of an export or of a part twice a second until `signal` aborts. A worker that could not renew for a whole lease stops by
 * itself: by then another worker may have the work.
 */
export async function keepLease ({ leaseMs, renew, interrupt, onError }: HeldLease, signal: AbortSignal): Promise<void> {
  let renewedAt = performance.now()
  while (!signal.aborted) {
    const askedAt = performance.now()
    try {
      const state = await renew()
      if (state !== 'held') return interrupt(new Interruption(state))
      renewedAt = askedAt
    } catch (error) {
      onError(error)
      if (performance.now() - renewedAt > leaseMs) return interrupt(new Interruption('lost'))
    }
    await delay(beatMs, undefined, { signal }).catch(() => {})
  }
}
