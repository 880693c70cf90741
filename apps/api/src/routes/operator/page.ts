import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'

const folder = new URL('page/', import.meta.url)
const mediaTypes: Record<string, string> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' }

/** Everything is our own and nothing stands within the page: names of exports and workers can run nothing. */
const headers = {
  'Content-Security-Policy': [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'", "require-trusted-types-for 'script'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-cache',
}

/** The operator's page: plain files, read once. It needs no token: it holds nothing, and asks for all that it shows by the operator's. */
export const operatorPage: FastifyPluginAsyncTypebox = async function operatorPage (app) {
  const files = new Map(readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]))
  const method = ['GET', 'HEAD']
  const schema = { hide: true, security: [] }

  function find (name: string): { type: string, text: string } {
    const [type, text] = [mediaTypes[extname(name)], files.get(name)]
    if (type === undefined || text === undefined) throw new ServiceError('NOT_FOUND', 'There is nothing at this address')
    return { type: `${type}; charset=utf-8`, text }
  }

  app.route({
    method,
    url: '/operator',
    schema,
    handler: async function sendPage (_request, reply) {
      const { type, text } = find('index.html')
      return await reply.headers(headers).type(type).send(text)
    },
  })

  app.route({
    method,
    url: '/operator/page/:name',
    schema: { ...schema, params: Type.Object({ name: Type.String() }) },
    handler: async function sendPart (request, reply) {
      const { type, text } = find(request.params.name)
      return await reply.headers(headers).type(type).send(text)
    },
  })
}
