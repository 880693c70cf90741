import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { httpErrors } from '../errors/http-errors.ts'
import { fhirJson, toOutcome } from '../errors/outcome.ts'
import { toServiceError, type Unexpected } from '../errors/service-error.ts'
import { selectMediaType } from '../http/accept.ts'
import { noteReason, toReason } from '../http/refusal-reason.ts'
import { toSecurityHeaders } from '../http/security-headers.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The code of unexpected errors of this route; default UNEXPECTED. */
    unexpected?: Unexpected
  }
}

/** Every error leaves as an OperationOutcome (Bulk Data 3.0.0, Response - Error Status). */
export const errors = fp(async function errors (app, { publicUrl }: { publicUrl: string }) {
  const sendError = createErrorSender(publicUrl)
  app.setErrorHandler(sendError)
  // A hook, as setNotFoundHandler runs after the body was parsed: a malformed one would be a 400.
  app.addHook('onRequest', async function refuseUnknownRoute (request) {
    if (request.is404) throw nothingHere()
  })
  app.setNotFoundHandler(async function refuseUnknownFile () { throw nothingHere() }) // below a route with a wildcard
}, { name: 'errors' })

function nothingHere (): ServiceError {
  return new ServiceError('NOT_FOUND', 'There is nothing at this address')
}

export function createErrorSender (publicUrl: string) {
  const securityHeaders = toSecurityHeaders(publicUrl) // no hook runs for an address that the framework cannot parse
  return function sendError (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = toServiceError(thrown, { requestId: request.id, unexpected: request.routeOptions.config?.unexpected ?? 'UNEXPECTED' })
    const { status } = httpErrors[error.code]
    noteReason(request, toReason(error))
    if (status === 503) request.log.warn({ err: thrown }, 'unavailable')
    else if (error.code === 'UNEXPECTED') request.log.error({ err: thrown }, 'unexpected error')

    // RFC 6750, 3: no error code for a request that did not try to authenticate.
    const challenge = request.headers.authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"'
    if (status === 401) reply.header('WWW-Authenticate', challenge)
    if (error.retryAfter !== undefined) reply.header('Retry-After', error.retryAfter)
    reply.code(status).headers({ ...securityHeaders, 'X-Request-Id': request.id, 'Cache-Control': 'no-store' })
    reply.type(selectMediaType(request.headers.accept, [fhirJson, 'application/json'])).send(toOutcome(error, publicUrl))
  }
}
