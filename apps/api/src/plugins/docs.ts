import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import { fhirJson } from '../errors/outcome.ts'
import { version } from '../version.ts'

/** Everything is our own; swagger-ui sets styles on its elements. */
const contentSecurityPolicy = [
  "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "connect-src 'self'",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ')

const operationOutcome = {
  description: 'What is wrong, as an OperationOutcome; issue.details.coding.code is made for programs',
  content: {
    [fhirJson]: {
      schema: { type: 'object', properties: { resourceType: { type: 'string', enum: ['OperationOutcome'] }, issue: { type: 'array', items: { type: 'object' } } } },
    },
  },
}

const withParameters = Type.Object({ properties: Type.Record(Type.String(), Type.Unknown(), { minProperties: 1 }) })

/** OpenAPI at /docs and /docs/json, of the schemas by which the routes validate. Register it before the routes. */
export const docs = fp(async function docs (app, { publicUrl }: { publicUrl: string }) {
  // A response's schema describes what is sent. By default it would also decide it, and leave out what it does not name.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))

  await app.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: { title: 'FHIR bulk export', version, description: 'HL7 FHIR R4 Bulk Data Access, and a simpler profile of it for clients that send no Prefer header.' },
      servers: [{ url: publicUrl }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ bearer: [] }],
    },
    stripBasePath: false,
    transform: ({ schema, url }) => ({ schema: toDocumented(schema), url }),
    transformObject: (document) => 'openapiObject' in document ? withOptionalBodies(document.openapiObject) : document.swaggerObject,
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
  return { consumes: [fhirJson, 'application/json'], ...schema, ...query, response: { '4XX': operationOutcome, '5XX': operationOutcome, ...response } }
}

interface Document { paths?: Record<string, { post?: { requestBody?: object } } | undefined> }

/** swagger takes any body for a required one. */
function withOptionalBodies<T extends Document> (document: T): T {
  for (const path of Object.values(document.paths ?? {})) {
    if (path?.post?.requestBody !== undefined) Object.assign(path.post.requestBody, { required: false })
  }
  return document
}
