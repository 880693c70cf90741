import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { toErrorCodeSystem } from '@fhir-bulk-export/core/error-codes'
import { Type } from '@sinclair/typebox'
import { fhirJson } from '../../errors/outcome.ts'
import { takeGeneralParametersOfQuery } from '../../http/general-parameters.ts'

const codeSystemSchema = Type.Object({ resourceType: Type.Literal('CodeSystem') }, { title: 'CodeSystem', additionalProperties: true })

/** What the codes of OperationOutcome.issue.details mean, at the address that they name as their system. */
export const errorCodes: FastifyPluginAsyncTypebox<{ publicUrl: string }> = async function errorCodes (app, { publicUrl }) {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/CodeSystem/error-code',
    onRequest: takeGeneralParametersOfQuery,
    schema: {
      tags: ['Discovery'],
      operationId: 'getErrorCodes',
      summary: 'What the codes of errors mean: a CodeSystem',
      security: [],
      response: { 200: { description: 'The CodeSystem', content: { [fhirJson]: { schema: codeSystemSchema } } } },
    },
    handler: async function sendErrorCodes (_request, reply) {
      return await reply.type(fhirJson).send(toErrorCodeSystem(publicUrl))
    },
  })
}
