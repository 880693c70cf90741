import rateLimit, { type RateLimitOptions } from '@fastify/rate-limit'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import fp from 'fastify-plugin'
import { TokenBuckets } from '../limits/token-buckets.ts'

const params = Type.Object({ jobId: Type.Optional(Type.String()) })

/**
 * For a route's `config.rateLimit`: one request a second for each caller and export, and a burst of ten (Bulk Data 3.0.0, Bulk
 * Data Status Request: SHOULD answer 429 to clients that poll too hotly). Each process counts for itself: behind a load
 * balancer a client may get as many times that as there are processes.
 */
export const pollingLimit: RateLimitOptions = {
  hook: 'preHandler', // after authentication, before the database
  max: 10,
  timeWindow: 10_000,
  keyGenerator: (request) => `${request.caller.requester} ${Value.Decode(params, request.params).jobId?.toLowerCase() ?? ''}`,
  errorResponseBuilder: (_request, { ttl }) =>
    new ServiceError('TOO_MANY_REQUESTS', 'The status is polled too often: wait as Retry-After says', {
      retryAfter: Math.ceil(ttl / 1_000),
    }),
}

export const pollingLimits = fp(async function pollingLimits (app) {
  const without = { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false }
  await app.register(rateLimit, { global: false, store: TokenBuckets, addHeaders: without, addHeadersOnExceeding: without })
}, { name: 'polling-limits' })
