import { createHash } from 'node:crypto'
import { recordAudit } from '@fhir-bulk-export/core/audit'
import type { Actor } from '@fhir-bulk-export/core/audit'
import type { Database } from '@fhir-bulk-export/core/db'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Kysely } from 'kysely'
import { toActor } from '../http/actor.ts'

const minuteMs = 60_000
/** Callers of a minute that are told apart. */
const capacity = 1_000
const refusals: ReadonlySet<number> = new Set([401, 403, 429])

interface Counted { event: 'refused' | 'token-refused', by: Actor, status: number, count: number }

/**
 * Refusals are counted by caller and minute: a row each would let anybody who is refused write as often as they ask. They are counted in memory and written once a minute and
 * at the end, so that rows are only ever added; a process that is killed loses those of its last minute, which changed nothing.
 */
export const recordRefusals = fp(async function recordRefusals (app, { db }: { db: Kysely<Database> }) {
  let counted = new Map<string, Counted>()
  let since = new Date()

  app.addHook('onResponse', async function countRefusal (request, reply) {
    const status = reply.statusCode
    const event = request.routeOptions.url === '/auth/token' ? 'token-refused' : 'refused'
    if (!refusals.has(status) && !(event === 'token-refused' && status === 400)) return // RFC 6749, 5.2: invalid_client may be either
    const by = toWho(request)
    const known = `${by.requester} ${event} ${status}`
    const key = counted.has(known) || counted.size < capacity ? known : `others ${event} ${status}`
    const entry = counted.get(key) ?? { event, by: key === known ? by : {}, status, count: 0 }
    entry.count++
    counted.set(key, entry)
  })

  async function write (): Promise<void> {
    const [written, from] = [counted, since]
    counted = new Map()
    since = new Date()
    try {
      await recordAudit(db, [...written.values()].map(({ by, ...refusal }) => ({ outcome: 'failure', process: 'api', since: from, ...by, ...refusal })))
    } catch (err) {
      app.log.warn({ err }, 'refusals could not be written down, and will be with those of the next minute')
      for (const [key, entry] of written) {
        const other = counted.get(key)
        counted.set(key, { ...entry, count: entry.count + (other?.count ?? 0) })
      }
      since = from
    }
  }

  const timer = setInterval(() => { void write() }, minuteMs)
  timer.unref()
  app.addHook('onClose', async function writeRest () {
    clearInterval(timer)
    await write()
  })
}, { name: 'refusals' })

/** A caller whose token is not good is known by the address alone. */
function toWho (request: FastifyRequest): Actor {
  const { ip } = request
  try {
    const { request_id: _, ...by } = toActor(request) // there are several
    return by
  } catch { // there is no caller
    return { requester: createHash('sha256').update(JSON.stringify(['address', ip])).digest('hex'), address: ip }
  }
}
