import { ServiceError } from '@fhir-bulk-export/core/errors'
import fp from 'fastify-plugin'
import { toSecurityHeaders } from '../http/security-headers.ts'

/** Of those that are read here. What is a list may stand in several lines. */
const single: ReadonlySet<string> = new Set(['authorization', 'content-type', 'host', 'if-range', 'origin', 'range'])

/** What Node would answer by itself, without an OperationOutcome, or let pass. */
export const protocol = fp(async function protocol (app, { publicUrl }: { publicUrl: string }) {
  const securityHeaders = toSecurityHeaders(publicUrl)
  app.addHook('onRequest', async function setHeaders (request, reply) { reply.headers({ ...securityHeaders, 'X-Request-Id': request.id }) })
  // RFC 9110, 5.3. Node takes the first of some, and joins others.
  app.addHook('onRequest', async function refuseRepeatedHeaders ({ raw: { httpVersion, rawHeaders } }, reply) {
    const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
    const repeated = names.find((name, i) => single.has(name) && names.indexOf(name) < i)
    const hasHost = httpVersion !== '1.1' || names.includes('host') // RFC 9112, 3.2
    if (repeated === undefined && hasHost) return
    reply.header('Connection', 'close')
    throw new ServiceError('MALFORMED_REQUEST', repeated === undefined ? 'A request has a Host' : `The header ${repeated} may stand once only`)
  })
  // RFC 9110, 10.1.1: an expectation that we do not know may be ignored.
  app.server.on('checkExpectation', (request, response) => { app.server.emit('request', request, response) })
}, { name: 'protocol', dependencies: ['errors'] })
