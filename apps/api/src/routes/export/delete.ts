import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@fhir-bulk-export/core/db'
import { cancelExport } from '@fhir-bulk-export/core/exports'
import { Type } from '@sinclair/typebox'
import type { Kysely } from 'kysely'
import type { ApiConfig } from '../../config.ts'
import { toActor } from '../../http/actor.ts'
import { toEmptyAnswer } from '../../openapi/answer.ts'
import { acceptHeaders } from '../../openapi/headers.ts'
import { profiles } from '../../profiles/index.ts'
import { getCoveredExport } from './find-export.ts'

interface DeletionOptions { db: Kysely<Database>, config: ApiConfig }

/** Bulk Data 3.0.0, Bulk Data Delete Request. */
export const deletion: FastifyPluginAsyncTypebox<DeletionOptions> = async function deletion (app, { db, config }) {
  app.route({
    method: 'DELETE',
    url: '/$export-status/:jobId',
    schema: {
      tags: ['Export'],
      operationId: 'deleteExport',
      summary: 'Cancel an export, or drop a finished one and its files',
      params: Type.Object({ jobId: Type.String() }),
      headers: acceptHeaders,
      response: { 202: toEmptyAnswer('Deleted (Bulk Data)'), 204: toEmptyAnswer('Deleted (no Prefer at kick-off)') },
    },
    config: { unexpected: 'UNAVAILABLE' },
    handler: async function deleteExport (request, reply) {
      const row = await getCoveredExport(db, request.caller, request.params.jobId)
      const changed = await cancelExport(db, row.id, config.EXPORT_TTL, toActor(request))
      if (changed) request.log.info({ exportId: row.id, was: row.status }, 'export deleted')
      return await reply.code(profiles[row.profile].deleted(changed)).send()
    },
  })
}
