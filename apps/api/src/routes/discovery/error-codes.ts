import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { toErrorCodeSystem } from '@fhir-bulk-export/core/error-codes'
import { Type } from '@sinclair/typebox'
import { fhirJson } from '../../errors/outcome.ts'
import { checkGeneralParameters } from '../../http/general-parameters.ts'

const codeSystemSchema = Type.Object({ resourceType: Type.Literal('CodeSystem') }, { title: 'CodeSystem', additionalProperties: true })

/** The CodeSystem of OperationOutcome.issue.details, at its own URL. */
export const errorCodes: FastifyPluginAsyncTypebox<{ publicUrl: string }> = async function errorCodes (app, { publicUrl }) {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/CodeSystem/error-code',
    onRequest: checkGeneralParameters,
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
