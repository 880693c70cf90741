import { createHash } from 'node:crypto'
import { recordAudit, type Actor } from '@fhir-bulk-export/core/audit'
import type { Database } from '@fhir-bulk-export/core/db'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Kysely } from 'kysely'
import { toActor } from '../http/actor.ts'
import { RefusalCounts } from '../limits/refusal-counts.ts'

const minuteMs = 60_000
const refusals: ReadonlySet<number> = new Set([401, 403, 429])

/**
 * Counts refusals by caller and status in memory, and adds them to the audit once a minute and at the end: a row each would let refused
 * callers fill the table. A process that is killed loses the refusals of its last minute.
 */
export const countRefusals = fp(async function countRefusals (app, { db }: { db: Kysely<Database> }) {
  const counts = new RefusalCounts()

  app.addHook('onResponse', async function countRefusal (request, reply) {
    const status = reply.statusCode
    const isOfToken = request.routeOptions.url === '/auth/token'
    if (!refusals.has(status) && !(isOfToken && status === 400)) return // RFC 6749, 5.2: invalid_client may be either
    counts.add({ event: isOfToken ? 'token-refused' : 'refused', by: toRefusedActor(request), status, count: 1 })
  })

  async function write (): Promise<void> {
    const taken = counts.take()
    try {
      const { refusals, since } = taken
      await recordAudit(db, refusals.map(({ by, ...refused }) => ({ outcome: 'failure', process: 'api', since, ...by, ...refused })))
    } catch (err) {
      app.log.warn({ err }, 'refusals could not be written down, and will be with the next')
      counts.giveBack(taken)
    }
  }

  const timer = setInterval(() => { void write() }, minuteMs)
  timer.unref()
  app.addHook('onClose', async function writeRest () {
    clearInterval(timer)
    await write()
  })
}, { name: 'refusals' })

/** Without a valid token, the address stands for the caller. */
function toRefusedActor (request: FastifyRequest): Actor {
  const { ip } = request
  try {
    const { request_id: _, ...by } = toActor(request) // a row is about several requests
    return by
  } catch { // no caller
    return { requester: createHash('sha256').update(JSON.stringify(['address', ip])).digest('hex'), address: ip }
  }
}
