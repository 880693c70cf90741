import { ServiceError } from '@fhir-bulk-export/core/errors'
import fp from 'fastify-plugin'
import { toSecurityHeaders } from '../http/security-headers.ts'

/** What Node would answer by itself, without an OperationOutcome, or let pass. */
export const protocol = fp(async function protocol (app, { publicUrl }: { publicUrl: string }) {
  const securityHeaders = toSecurityHeaders(publicUrl)
  app.addHook('onRequest', async function setSecurityHeaders (_request, reply) { reply.headers(securityHeaders) })
  // RFC 9112, 3.2
  app.addHook('onRequest', async function requireOneHost ({ raw: { httpVersion, rawHeaders } }, reply) {
    const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host')
    if (httpVersion !== '1.1' || hosts.length === 1) return
    reply.header('Connection', 'close')
    throw new ServiceError('MALFORMED_REQUEST', `A request has one Host, and not ${hosts.length}`)
  })
  // RFC 9110, 10.1.1: an expectation that we do not know may be ignored.
  app.server.on('checkExpectation', (request, response) => { app.server.emit('request', request, response) })
}, { name: 'protocol', dependencies: ['errors'] })
