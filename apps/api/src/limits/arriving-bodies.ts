import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Bodies of one caller at the same time: each stays in memory until it is complete. */
const maxArriving = 10

/** A preParsing hook that refuses a body while too many of its caller arrive. */
export function createArrivingBodies () {
  const arriving = new Map<string, number>()

  return async function limitArrivingBodies ({ caller: { requester }, raw }: FastifyRequest, reply: FastifyReply): Promise<void> {
    const count = arriving.get(requester) ?? 0
    if (count >= maxArriving) {
      throw new ServiceError(
        'TOO_MANY_REQUESTS', `${maxArriving} bodies of this caller are arriving already: send one after the other`, { retryAfter: 1 }
      )
    }
    arriving.set(requester, count + 1)
    let isCounted = true
    function release (): void {
      if (!isCounted) return
      isCounted = false
      const left = (arriving.get(requester) ?? 1) - 1
      if (left > 0) arriving.set(requester, left)
      else arriving.delete(requester)
    }
    raw.once('end', release)
    reply.raw.once('close', release)
  }
}
