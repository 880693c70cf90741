import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifyRequest, FastifySchemaValidationError } from 'fastify'
import { acceptJsonOrEmpty } from '../../http/json-body.ts'
import { createArrivingBodies } from '../../limits/arriving-bodies.ts'
import { toEmptyAnswer } from '../../openapi/answer.ts'
import { contentLocation, kickOffHeaders, preferenceApplied } from '../../openapi/headers.ts'
import { kickOffBody, kickOffQuery, readSentParameters } from '../../parameters/request.ts'
import { refuseClientOfGroups, requireAdmin, requireGroupScope, requireAllowedGroup } from '../require-admin.ts'
import { assertBelowLimits, startExport, type KickOffServices } from './start-export.ts'

const noParams = Type.Object({})
const groupParams = Type.Object({ id: Type.String() })

const levels = [
  {
    level: 'patient',
    operationId: 'exportPatients',
    url: '/Patient/$export',
    params: noParams,
    onRequest: [refuseClientOfGroups],
    summary: 'Start an export of all patients, for a PATIENT of the own data',
  },
  {
    level: 'system',
    operationId: 'exportSystem',
    url: '/$export',
    params: noParams,
    onRequest: [requireAdmin, refuseClientOfGroups],
    summary: 'Start an export of everything',
  },
  {
    level: 'group',
    operationId: 'exportGroup',
    url: '/Group/:id/$export',
    params: groupParams,
    onRequest: [requireAdmin, requireGroupScope, requireAllowedGroup],
    summary: 'Start an export of a group\'s members',
  },
] as const

const accepted = toEmptyAnswer('Accepted', { 'Content-Location': contentLocation, 'Preference-Applied': preferenceApplied })
const response = { 202: accepted }

/** Bulk Data 3.0.0, Bulk Data Kick-off Request, at each of its levels, by GET and by POST. */
export const kickOff: FastifyPluginAsyncTypebox<KickOffServices> = async function kickOff (app, services) {
  acceptJsonOrEmpty(app)
  const limitArrivingBodies = createArrivingBodies()
  const refuseAboveLimits = async ({ caller }: FastifyRequest) => { await assertBelowLimits(services, caller) }

  for (const { level, operationId, url, params, onRequest, summary } of levels) {
    const toGroupId = (params: unknown) => level === 'group' ? Value.Decode(groupParams, params).id : null
    const schema = { tags: ['Export'], summary, params, headers: kickOffHeaders, querystring: kickOffQuery, response }

    app.route({
      method: 'GET',
      url,
      onRequest: [...onRequest, refuseAboveLimits],
      schema: { ...schema, operationId },
      handler: async function startByQuery (request, reply) {
        return await startExport(
          services, { level, groupId: toGroupId(request.params), sent: readSentParameters(request.query) }, request, reply
        )
      },
    })

    app.route({
      method: 'POST',
      url,
      onRequest: [...onRequest, refuseAboveLimits], // before the body is read
      preParsing: limitArrivingBodies,
      preValidation: fillEmptyBody,
      schema: { ...schema, operationId: `${operationId}ByParameters`, body: kickOffBody },
      schemaErrorFormatter: toMalformed,
      handler: async function startByParameters (request, reply) {
        const sent = readSentParameters(request.query, request.body)
        return await startExport(services, { level, groupId: toGroupId(request.params), sent }, request, reply)
      },
    })
  }
}

/** A common client POSTs an empty body, with everything in the query. */
async function fillEmptyBody (request: FastifyRequest): Promise<void> {
  if (request.body === undefined) request.body = { resourceType: 'Parameters' }
}

function toMalformed ([first]: FastifySchemaValidationError[], part: string): ServiceError {
  return new ServiceError(
    'MALFORMED_REQUEST', `The ${part} is not a FHIR Parameters resource: ${first?.instancePath ?? ''} ${first?.message ?? ''}`
  )
}
