import type { FastifyReply, FastifyRequest } from 'fastify'
import { selectMediaType } from '../http/accept.ts'
import { noteReason, toReason } from '../http/refusal-reason.ts'
import { toSecurityHeaders } from '../http/security-headers.ts'
import { httpErrors } from './http-errors.ts'
import { fhirJson, toOutcome } from './outcome.ts'
import { toServiceError, type Unexpected } from './service-error.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The code of unexpected errors of this route; default UNEXPECTED. */
    unexpected?: Unexpected
  }
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
