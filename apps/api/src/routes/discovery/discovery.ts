import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { ScopeContext } from '@fhir-bulk-export/core/clients'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { CurrentSource } from '@fhir-bulk-export/core/source'
import { Type } from '@sinclair/typebox'
import { toTokenUrl } from '../../auth/access-token.ts'
import { fhirJson } from '../../errors/outcome.ts'
import { checkGeneralParameters } from '../../http/general-parameters.ts'
import { toCapabilityStatement, type Discovered } from './capability-statement.ts'
import { smartConfigurationSchema, toSmartConfiguration } from './smart-configuration.ts'

const method = ['GET', 'HEAD']
const capabilityStatementSchema = Type.Object({
  resourceType: Type.Literal('CapabilityStatement'),
}, { title: 'CapabilityStatement', additionalProperties: true })

type DiscoveryOptions = Omit<Discovered, 'types'> & { source: CurrentSource }

/** Answers before a client has a token, and while the database is away. */
export const discovery: FastifyPluginAsyncTypebox<DiscoveryOptions> = async function discovery (app, { source, ...discovered }) {
  // Our own endpoint serves backend services alone. An outside issuer may grant patient scopes, too.
  const contexts: ScopeContext[] = discovered.tokenEndpoint === toTokenUrl(discovered.publicUrl) ? ['system'] : ['system', 'patient']
  const findTypes = async () => (await source.getLastRead()).relations.map(({ type }) => type)
  const toCurrentStatement = rememberLast((types) => toCapabilityStatement({ ...discovered, types }, new Date()))
  app.addHook('onReady', async function readSourceOnce () {
    await source.get().catch(() => {}) // the next request tries again
  })

  app.route({
    method,
    url: '/metadata',
    onRequest: checkGeneralParameters,
    schema: {
      tags: ['Discovery'],
      operationId: 'getCapabilityStatement',
      summary: 'What this server can do: its CapabilityStatement',
      security: [],
      response: { 200: { description: 'The CapabilityStatement', content: { [fhirJson]: { schema: capabilityStatementSchema } } } },
    },
    handler: async function sendCapabilityStatement (_request, reply) {
      return await reply.type(fhirJson).send(toCurrentStatement(await findTypes()))
    },
  })

  app.route({
    method,
    url: '/.well-known/smart-configuration',
    schema: {
      tags: ['Discovery'],
      operationId: 'getSmartConfiguration',
      summary: 'Where tokens come from: the SMART configuration',
      description: '404 where tokens are those of an outside issuer, and no token endpoint of it is configured.',
      security: [],
      response: { 200: { description: 'The configuration', content: { 'application/json': { schema: smartConfigurationSchema } } } },
    },
    handler: async function sendSmartConfiguration (_request, reply) {
      const { tokenEndpoint } = discovered
      if (tokenEndpoint === undefined) {
        throw new ServiceError('NOT_FOUND', 'No token endpoint is configured here: ask the operator for a token')
      }
      return await reply.type('application/json').send(toSmartConfiguration(tokenEndpoint, await findTypes(), contexts))
    },
  })
}

/** Calls `make` again when the types change: the result has a date. */
function rememberLast<T> (make: (types: readonly string[]) => T): (types: readonly string[]) => T {
  let last: { names: string, made: T } | undefined
  return function makeUnlessSame (types) {
    const names = types.join()
    if (last?.names !== names) last = { names, made: make(types) }
    return last.made
  }
}
