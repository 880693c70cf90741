import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@fhir-bulk-export/core/db'
import { exportLevels, exportStatuses, findExportsOf } from '@fhir-bulk-export/core/exports'
import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import type { Kysely } from 'kysely'
import { canAccess, coversTypes } from '../../auth/access.ts'
import type { ApiConfig } from '../../config.ts'
import { pollingLimit } from '../../plugins/polling-limits.ts'

const maxExports = 100

const listed = Type.Object({
  id: Type.String(),
  status: Type.Union(exportStatuses.map((status) => Type.Literal(status))),
  level: Type.Union(exportLevels.map((level) => Type.Literal(level))),
  request: Type.String({ description: 'Path and query of the kick-off, as sent' }),
  created: Type.String({ format: 'date-time' }),
  url: Type.String({ description: 'Where its status is' }),
})
const exportList = Type.Object({ exports: Type.Array(listed) }, { description: 'The caller\'s own exports, the newest first' })

/** The caller's own exports, for a client that lost the address of one. */
export const list: FastifyPluginAsyncTypebox<{ db: Kysely<Database>, config: ApiConfig }> = async function list (app, { db, config }) {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/$export-status',
    schema: { tags: ['Export'], summary: 'The caller\'s own exports', response: { 200: exportList } },
    config: { rateLimit: pollingLimit, unexpected: 'UNAVAILABLE' },
    handler: async function listExports ({ caller }, reply) {
      const rows = await findExportsOf(db, caller.requester, maxExports)
      const exports = rows
        .filter((row) => canAccess(caller, row) && coversTypes(caller, row.types))
        .map(({ id, status, level, request, created_at: createdAt }): Static<typeof listed> =>
          ({ id, status, level, request, created: createdAt.toISOString(), url: `${config.PUBLIC_URL}/fhir/r4/$export-status/${id}` }))
      return await reply.header('Cache-Control', 'no-store').send({ exports })
    },
  })
}
