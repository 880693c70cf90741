import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@fhir-bulk-export/core/db'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import {
  exportStatuses, findExportOverviews, findOverview, findWorkers, type ExportOverview, type PageEnd,
} from '@fhir-bulk-export/core/exports'
import { share } from '@fhir-bulk-export/core/readiness'
import type { ContentStore } from '@fhir-bulk-export/core/store'
import { Type } from '@sinclair/typebox'
import type { FastifyBaseLogger } from 'fastify'
import type { Kysely } from 'kysely'
import { toAnswer } from '../../openapi/answer.ts'
import { acceptHeaders } from '../../openapi/headers.ts'
import { stringEnum } from '../../openapi/string-enum.ts'
import { requireOperator } from './require-operator.ts'
import { exportsSchema, summarySchema, type OperatorExport, type OperatorSummary } from './schema.ts'

const pageSize = 50
const maxPageSize = 100
const maxWorkers = 200
/** The summary reads all exports and a day of the audit: within this all who ask share one. */
const summarySharedMs = 1_000
const usageDeadlineMs = 2_000

const query = Type.Object({
  status: Type.Optional(stringEnum(exportStatuses)),
  after: Type.Optional(Type.String({ maxLength: 100, description: '`next` of the page before' })),
  limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,2}$', description: `Exports of a page, ${maxPageSize} at most` })),
}, { additionalProperties: false })

interface OperatorOptions { db: Kysely<Database>, store: ContentStore }

/** What the operator's page shows. It changes nothing: to cancel or drop an export is a DELETE of its status, as for any client. */
export const operator: FastifyPluginAsyncTypebox<OperatorOptions> = async function operator (app, { db, store }) {
  const config = { unexpected: 'UNAVAILABLE' } as const

  app.get('/operator/exports', {
    onRequest: requireOperator,
    config,
    schema: {
      tags: ['Operator'],
      operationId: 'getOperatorExports',
      summary: 'All exports, the newest first, page by page',
      headers: acceptHeaders,
      querystring: query,
      response: { 200: toAnswer('A page of exports', 'application/json', exportsSchema) },
    },
    handler: async function listAllExports ({ query: { status, after, limit } }, reply) {
      const count = Math.min(Number(limit ?? pageSize), maxPageSize)
      const found = await findExportOverviews(db, { status, after: after === undefined ? undefined : toPageEnd(after), limit: count + 1 })
      const page = found.slice(0, count)
      const last = found.length > count ? page.at(-1) : undefined
      return await reply.header('Cache-Control', 'no-store').type('application/json')
        .send({
          now: new Date().toISOString(),
          exports: page.map(toExport),
          next: last === undefined ? null : `${last.instant}_${last.id}`,
        })
    },
  })

  const getSummary = share(async () => await readSummary({ db, store }, app.log), summarySharedMs)

  app.get('/operator/summary', {
    onRequest: requireOperator,
    config,
    schema: {
      tags: ['Operator'],
      operationId: 'getOperatorSummary',
      summary: 'Exports, workers, store and the last 24 hours at a glance',
      headers: acceptHeaders,
      response: { 200: toAnswer('The summary', 'application/json', summarySchema) },
    },
    handler: async function sendSummary (_request, reply) {
      return await reply.header('Cache-Control', 'no-store').type('application/json').send(await getSummary())
    },
  })
}

async function readSummary ({ db, store }: OperatorOptions, log: FastifyBaseLogger): Promise<OperatorSummary> {
  const [{ now, counts, hours, ...overview }, workers, disk] = await Promise.all([
    findOverview(db),
    findWorkers(db, maxWorkers),
    store.getUsage({ signal: AbortSignal.timeout(usageDeadlineMs) }).catch((err: unknown) => {
      log.warn({ err }, 'the content store does not say how much it holds')
      return null
    }),
  ])
  return {
    ...overview,
    now: now.toISOString(),
    exports: Object.fromEntries(exportStatuses.map((status) => [status, counts[status] ?? 0])),
    workers: workers.map(({ id, host, started_at: started, seen_at: seen, running }) =>
      ({ id, host, started: started.toISOString(), seen: seen.toISOString(), running })),
    disk,
    hours: hours.map(({ hour, ...counted }) => ({ hour: hour.toISOString(), ...counted })),
  }
}

const pageEnd = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** @throws ServiceError INVALID_PARAMETER */
function toPageEnd (after: string): PageEnd {
  const [, instant, id] = pageEnd.exec(after) ?? []
  if (instant === undefined || id === undefined || Number.isNaN(Date.parse(instant))) {
    throw new ServiceError('INVALID_PARAMETER', 'The parameter after is not one that a page before gave')
  }
  return { instant, id }
}

function toExport (row: ExportOverview): OperatorExport {
  const { id, status, level, types, client, attempt, failures, progress, files, bytes } = row
  return {
    id,
    status,
    isDropped: row.dropped_at !== null,
    isRunning: row.running,
    level,
    types,
    role: row.requester_role,
    client,
    user: row.subject,
    created: row.created_at.toISOString(),
    started: row.started_at?.toISOString() ?? null,
    ended: row.ended_at?.toISOString() ?? null,
    attempt,
    failures,
    progress,
    exportedResources: row.exported_resources,
    totalResources: row.total_resources,
    files,
    bytes,
    reason: row.failure_reason,
  }
}
