import { ServiceError } from '@fhir-bulk-export/core/errors'
import fp from 'fastify-plugin'
import { toSecurityHeaders } from '../http/security-headers.ts'

/** Headers that this service reads and that are no lists, which may stand in several lines. */
const single: ReadonlySet<string> = new Set(['authorization', 'content-type', 'host', 'if-range', 'origin', 'range'])

/** Headers of every answer, and a check that Node does not make. */
export const protocol = fp(async function protocol (app, { publicUrl }: { publicUrl: string }) {
  const securityHeaders = toSecurityHeaders(publicUrl)
  app.addHook('onRequest', async function setHeaders (request, reply) { reply.headers({ ...securityHeaders, 'X-Request-Id': request.id }) })
  // RFC 9110, 5.3. Of repeated headers, Node takes the first or joins them.
  app.addHook('onRequest', async function refuseRepeatedHeaders ({ raw: { rawHeaders } }, reply) {
    const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
    const repeated = names.find((name, i) => single.has(name) && names.indexOf(name) < i)
    if (repeated === undefined) return
    reply.header('Connection', 'close')
    throw new ServiceError('MALFORMED_REQUEST', `The header ${repeated} may stand once only`)
  })
}, { name: 'protocol', dependencies: ['errors'] })
