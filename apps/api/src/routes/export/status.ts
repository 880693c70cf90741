import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database, FileRow } from '@fhir-bulk-export/core/db'
import { findPublishedFiles, findWorkerSilence, type ExportSummary } from '@fhir-bulk-export/core/exports'
import { Type } from '@sinclair/typebox'
import type { Kysely } from 'kysely'
import type { Caller } from '../../auth/caller.ts'
import type { ApiConfig } from '../../config.ts'
import { acceptHeaders } from '../../openapi/headers.ts'
import { pollingLimit } from '../../plugins/polling-limits.ts'
import { toStatusAnswer } from '../../profiles/index.ts'
import { isWaitingForWorker } from '../../profiles/progress.ts'
import { getCoveredExport } from './find-export.ts'
import { statusResponse } from '../../profiles/status-schema.ts'

/** Bulk Data 3.0.0, Bulk Data Status Request. */
export const status: FastifyPluginAsyncTypebox<{ db: Kysely<Database>, config: ApiConfig }> = async function status (app, { db, config }) {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/$export-status/:jobId',
    schema: {
      tags: ['Export'],
      operationId: 'getExportStatus',
      summary: 'The progress of an export, then its manifest',
      params: Type.Object({ jobId: Type.String() }),
      headers: acceptHeaders,
      response: statusResponse,
    },
    config: { rateLimit: pollingLimit, unexpected: 'UNAVAILABLE' },
    handler: async function reportStatus (request, reply) {
      const { row, files } = await findStatus(request.caller, request.params.jobId)
      const now = new Date()
      const workerSilenceMs = isWaitingForWorker(row, now) ? await findWorkerSilence(db) : 0
      const { code, headers, body } = toStatusAnswer({
        row, files, publicUrl: config.PUBLIC_URL, gatewayUrl: config.IPFS_GATEWAY_URL, now, workerSilenceMs,
      })
      return await reply.code(code).headers(headers).header('Cache-Control', 'no-store').send(body)
    },
  })

  async function findStatus (caller: Caller, jobId: string): Promise<{ row: ExportSummary, files: FileRow[] }> {
    const row = await getCoveredExport(db, caller, jobId)
    if (row.status !== 'completed') return { row, files: [] }
    const files = await findPublishedFiles(db, row.id)
    // The export was deleted between the two statements: the first has another answer now.
    return files === undefined ? await findStatus(caller, jobId) : { row, files }
  }
}
