import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@fhir-bulk-export/core/db'
import { exportLevels, exportStatuses, findExportsOf } from '@fhir-bulk-export/core/exports'
import { Type, type Static } from '@sinclair/typebox'
import type { Kysely } from 'kysely'
import { canAccess, coversTypes } from '../../auth/access.ts'
import type { ApiConfig } from '../../config.ts'
import { toStatusUrl } from '../../http/addresses.ts'
import { toAnswer } from '../../openapi/answer.ts'
import { acceptHeaders } from '../../openapi/headers.ts'
import { stringEnum } from '../../openapi/string-enum.ts'
import { pollingLimit } from '../../plugins/polling-limits.ts'
import { profilesThatListDeleted } from '../../profiles/index.ts'

const maxExports = 100

const listed = Type.Object({
  id: Type.String(),
  status: stringEnum(exportStatuses),
  level: stringEnum(exportLevels),
  request: Type.String({ description: 'Path and query of the kick-off, as sent' }),
  created: Type.String({ format: 'date-time' }),
  url: Type.String({ description: 'Where its status is' }),
})
const exportList = Type.Object({ exports: Type.Array(listed) }, { title: 'ExportList' })

/** For a client that lost the address of an export. */
export const list: FastifyPluginAsyncTypebox<{ db: Kysely<Database>, config: ApiConfig }> = async function list (app, { db, config }) {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/$export-status',
    schema: {
      tags: ['Export'],
      operationId: 'getExports',
      summary: 'The caller\'s own exports',
      headers: acceptHeaders,
      response: { 200: toAnswer('The caller\'s own exports, the newest first', 'application/json', exportList) },
    },
    config: { rateLimit: pollingLimit, unexpected: 'UNAVAILABLE' },
    handler: async function listExports ({ caller }, reply) {
      const rows = await findExportsOf(db, caller.requester, { limit: maxExports, profilesThatListDeleted })
      const exports = rows
        .filter((row) => canAccess(caller, row) && coversTypes(caller, row.types))
        .map(({ id, status, level, request, created_at: createdAt }): Static<typeof listed> =>
          ({ id, status, level, request, created: createdAt.toISOString(), url: toStatusUrl(config.PUBLIC_URL, id) }))
      return await reply.header('Cache-Control', 'no-store').send({ exports })
    },
  })
}
