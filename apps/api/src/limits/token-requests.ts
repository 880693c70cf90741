import { ServiceError } from '@fhir-bulk-export/core/errors'
import { TokenBuckets } from './token-buckets.ts'

const minuteMs = 60_000
/** A proxy is one address, for all of its clients. */
const perAddress = 600
const perClient = 60

/**
 * Token requests cost a signature each, and nobody is known before: so many of one address, and so many that name one client there. What
 * others send in a client's name from elsewhere takes none of its own. Each process counts for itself.
 */
export function createTokenLimits () {
  const buckets = new TokenBuckets({})

  function take (key: string, perMinute: number): void {
    const { waitMs } = buckets.take(key, minuteMs, perMinute)
    if (waitMs > 0) throw new ServiceError('TOO_MANY_REQUESTS', `There are ${perMinute} token requests in a minute: wait as Retry-After says`, { retryAfter: Math.ceil(waitMs / 1_000) })
  }

  return {
    takeOfAddress: (address: string) => { take(address, perAddress) },
    takeOfClient: (address: string, claimedId: string) => { take(`${address} ${claimedId.slice(0, 64)}`, perClient) },
  }
}
