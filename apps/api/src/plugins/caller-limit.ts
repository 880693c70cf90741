import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { takeRequests } from '@fhir-bulk-export/core/exports'
import fp from 'fastify-plugin'
import type { Kysely } from 'kysely'
import { CallerRequests } from '../limits/caller-requests.ts'

interface CallerLimitOptions { db: Kysely<Database>, perMinute: number }

/**
 * Counts every request of an authenticated caller, however it is answered: before its body is read and the database or the store is asked.
 */
export const callerLimit = fp(async function callerLimit (app, { db, perMinute: perMinuteByDefault }: CallerLimitOptions) {
  const requests = new CallerRequests(async (requester, count, perMinute) => await takeRequests(db, requester, { count, perMinute }))
  app.addHook('onRequest', async function limitCaller ({ caller }) {
    const perMinute = caller.client?.max_requests_per_minute ?? perMinuteByDefault
    const waitMs = await requests.take(caller.requester, perMinute)
    if (waitMs === 0) return
    const message = `A caller may send ${perMinute} requests a minute: wait as Retry-After says`
    throw new ServiceError('TOO_MANY_REQUESTS', message, { retryAfter: Math.ceil(waitMs / 1_000) })
  })
}, { name: 'caller-limit', dependencies: ['auth'] })
