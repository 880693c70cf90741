import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { takeRequests } from '@fhir-bulk-export/core/exports'
import fp from 'fastify-plugin'
import type { Kysely } from 'kysely'
import { CallerRequests } from '../limits/caller-requests.ts'

/**
 * Every request of an authenticated caller counts, whatever it asks for and however it is answered: before its body is read and
 * before the database or the store is asked. Register it after `auth`.
 */
export const callerLimit = fp(async function callerLimit (app, { db, perMinute: perMinuteByDefault }: { db: Kysely<Database>, perMinute: number }) {
  const requests = new CallerRequests(async (requester, count, perMinute) => await takeRequests(db, requester, { count, perMinute }))
  app.addHook('onRequest', async function limitCaller ({ caller }) {
    const perMinute = caller.client?.max_requests_per_minute ?? perMinuteByDefault
    const waitMs = await requests.take(caller.requester, perMinute)
    if (waitMs === 0) return
    throw new ServiceError('TOO_MANY_REQUESTS', `A caller may send ${perMinute} requests a minute: wait as Retry-After says`, { retryAfter: Math.ceil(waitMs / 1_000) })
  })
}, { name: 'caller-limit', dependencies: ['auth'] })
