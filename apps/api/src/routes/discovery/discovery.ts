import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { Type } from '@sinclair/typebox'
import { fhirJson } from '../../errors/outcome.ts'
import { toCapabilityStatement } from './capability-statement.ts'
import type { Discovered } from './capability-statement.ts'
import { smartConfigurationSchema, toSmartConfiguration } from './smart-configuration.ts'

const method = ['GET', 'HEAD']
const capabilityStatementSchema = Type.Object({ resourceType: Type.Literal('CapabilityStatement') }, { additionalProperties: true })

/** What a client can know before it has a token. */
export const discovery: FastifyPluginAsyncTypebox<Discovered> = async function discovery (app, discovered) {
  const capabilityStatement = toCapabilityStatement(discovered, new Date())

  app.route({
    method,
    url: '/metadata',
    schema: {
      tags: ['Discovery'],
      summary: 'What this server can do: its CapabilityStatement',
      security: [],
      response: { 200: { description: 'The CapabilityStatement', content: { [fhirJson]: { schema: capabilityStatementSchema } } } },
    },
    handler: async function sendCapabilityStatement (_request, reply) {
      return await reply.type(fhirJson).send(capabilityStatement)
    },
  })

  app.route({
    method,
    url: '/.well-known/smart-configuration',
    schema: {
      tags: ['Discovery'],
      summary: 'Where tokens come from: the SMART configuration',
      description: '404 where no token endpoint is configured.',
      security: [],
      response: { 200: { description: 'The configuration', content: { 'application/json': { schema: smartConfigurationSchema } } } },
    },
    handler: async function sendSmartConfiguration (_request, reply) {
      const { tokenEndpoint } = discovered
      if (tokenEndpoint === undefined) throw new ServiceError('NOT_FOUND', 'No token endpoint is configured here: ask the operator for a token')
      return await reply.type('application/json').send(toSmartConfiguration(tokenEndpoint))
    },
  })
}
