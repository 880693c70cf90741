import { randomUUID } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { createExport } from '@fhir-bulk-export/core/exports'
import type { ExportQueue } from '@fhir-bulk-export/core/queue'
import type { Kysely } from 'kysely'
import type { ApiConfig } from '../../config.ts'
import { parsePrefer } from '../../http/prefer.ts'
import { toPathAndQuery } from '../../http/request-target.ts'
import { kickOffQuery, parseKickOff } from './parameters.ts'

/** Seconds. When one of the caller's exports will end is anybody's guess. */
const tooManyExportsRetryAfter = 60

/** Bulk Data 3.0.0, Bulk Data Kick-off Request. */
export const kickOff: FastifyPluginAsyncTypebox<{ db: Kysely<Database>, queue: ExportQueue, config: ApiConfig }> = async function kickOff (app, { db, queue, config }) {
  app.get('/Patient/$export', { schema: { querystring: kickOffQuery } }, async function startExport (request, reply) {
    const { caller } = request
    const { types, since } = parseKickOff(request.query, new Date())
    const id = randomUUID()
    const { created } = await createExport(db, {
      id,
      wire_profile: parsePrefer(request.headers.prefer).has('respond-async') ? 'respond-async' : 'reference-card',
      request: toPathAndQuery(request.originalUrl),
      requester_role: caller.role,
      requester: caller.requester,
      issuer: caller.issuer,
      patient_id: caller.patientId,
      types,
      since,
    }, config.MAX_ACTIVE_EXPORTS)
    if (!created) {
      throw new ServiceError('TOO_MANY_EXPORTS', `${config.MAX_ACTIVE_EXPORTS} exports are under way already: wait for one to end, or cancel it`,
        { retryAfter: tooManyExportsRetryAfter })
    }
    request.log.info({ exportId: id, role: caller.role, types }, 'export accepted')
    try {
      await queue.enqueue(id)
    } catch (err) {
      // The export's row is the promise, the queue a doorbell: a worker's reconciler finds the export all the same.
      request.log.warn({ err, exportId: id }, 'the export is accepted and could not be enqueued')
    }
    reply.code(202).header('Content-Location', `${config.PUBLIC_URL}/fhir/r4/$export-status/${id}`)
    return await reply.send()
  })
}
