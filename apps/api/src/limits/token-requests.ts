import { ServiceError } from '@fhir-bulk-export/core/errors'
import { TokenBuckets } from './token-buckets.ts'

const minuteMs = 60_000
/** All clients behind a proxy share its address. */
const perAddress = 600
const perClient = 60

/**
 * Limits token requests, each of which costs a signature before its sender is known: by address, and by address and claimed client, so
 * that other addresses cannot use up a client's requests. Each process counts for itself. A request
 * too many throws a ServiceError TOO_MANY_REQUESTS.
 */
export function createTokenLimits () {
  const buckets = new TokenBuckets({})

  function take (key: string, perMinute: number): void {
    const { waitMs } = buckets.take(key, minuteMs, perMinute)
    if (waitMs === 0) return
    const message = `There are ${perMinute} token requests in a minute: wait as Retry-After says`
    throw new ServiceError('TOO_MANY_REQUESTS', message, { retryAfter: Math.ceil(waitMs / 1_000) })
  }

  return {
    takeOfAddress: (address: string) => { take(address, perAddress) },
    takeOfClient: (address: string, claimedId: string) => { take(`${address} ${claimedId.slice(0, 64)}`, perClient) },
  }
}
