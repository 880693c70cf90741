import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import { fhirJson, outcomeSchema } from '../errors/outcome.ts'
import { complete } from '../openapi/document.ts'
import { allow, retryAfter, wwwAuthenticate } from '../openapi/headers.ts'
import { version } from '../version.ts'

/** Everything is our own; swagger-ui sets styles on its elements. */
const contentSecurityPolicy = [
  "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "connect-src 'self'",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ')

const failure = {
  description: 'What is wrong, as an OperationOutcome; issue.details.coding.code is made for programs',
  content: { [fhirJson]: { schema: outcomeSchema }, 'application/json': { schema: outcomeSchema } },
}
const failures = {
  '4XX': { ...failure, headers: { 'Retry-After': retryAfter, 'WWW-Authenticate': wwwAuthenticate, Allow: allow } },
  '5XX': { ...failure, headers: { 'Retry-After': retryAfter } },
}

const tags = [
  { name: 'Export', description: 'Start an export, follow it, download its files, cancel or drop it.' },
  { name: 'Groups', description: 'The groups of patients that can be exported.' },
  { name: 'Discovery', description: 'What this server can do, and where tokens come from.' },
  { name: 'Health', description: 'For an orchestrator.' },
  {
    name: 'Operator',
    description: 'What the operator\'s page shows: all exports, for an ADMIN without a limit of types or groups.',
  },
]

const withParameters = Type.Object({ properties: Type.Record(Type.String(), Type.Unknown(), { minProperties: 1 }) })

/** OpenAPI at /docs and /docs/json, of the schemas by which the routes validate. Register it before the routes. */
export const docs = fp(async function docs (app, { publicUrl }: { publicUrl: string }) {
  // A response's schema describes what is sent. By default it would also decide it, and leave out what it does not name.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'FHIR bulk export',
        version,
        description: 'HL7 FHIR R4 Bulk Data Access, and a simpler profile of it for clients that send no Prefer header.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags,
      servers: [{ url: publicUrl }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ bearer: [] }],
    },
    stripBasePath: false,
    transform: ({ schema, url }) => ({ schema: toDocumented(schema), url }),
    transformObject: (document) => 'openapiObject' in document ? complete(document.openapiObject) : document.swaggerObject,
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: new URL(publicUrl).pathname,
    staticCSP: contentSecurityPolicy,
    theme: { title: 'FHIR bulk export' },
  })
}, { name: 'docs' })

/** With what all routes have in common; without a query that has no parameters, whose schema would be taken for them. */
function toDocumented ({ querystring, ...schema }: FastifySchema = {}): FastifySchema {
  const query = Value.Check(withParameters, querystring) ? { querystring } : {}
  const response = typeof schema.response === 'object' ? schema.response : {}
  return { consumes: [fhirJson, 'application/json'], ...schema, ...query, response: { ...failures, ...response } }
}
