import type { FastifyReply, FastifyRequest } from 'fastify'
import { OAuthError } from '../../auth/oauth-error.ts'
import type { OAuthErrorCode } from '../../auth/oauth-error.ts'
import { httpErrors } from '../../errors/http-errors.ts'
import { noteReason, toReason } from '../../http/refusal-reason.ts'
import { toServiceError } from '../../errors/service-error.ts'

/** RFC 6749, 5.1: of every answer. */
export const noStore = { 'Cache-Control': 'no-store', Pragma: 'no-cache' }

/** What is not about the request's members, by status. RFC 6749, 5.2 has invalid_request for whatever is malformed. */
const codes: Partial<Record<number, OAuthErrorCode>> = { 429: 'temporarily_unavailable', 500: 'server_error', 503: 'temporarily_unavailable' }
/** RFC 6749, 5.2: 400 unless said otherwise. */
const kept = new Set([408, 413, 429, 500, 503])

/** Every refusal as RFC 6749, 5.2 has it, of what the framework refuses, too. */
export function createTokenErrorSender () {
  return function sendTokenError (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (thrown instanceof OAuthError) {
      noteReason(request, { code: thrown.error, reason: thrown.reason })
      send(reply, 400, thrown.error, thrown.message)
      return
    }
    const error = toServiceError(thrown, { requestId: request.id, unexpected: 'UNEXPECTED' })
    const { status } = httpErrors[error.code]
    noteReason(request, toReason(error))
    if (status >= 500) request.log.error({ err: thrown }, 'a token request could not be answered')
    if (error.retryAfter !== undefined) reply.header('Retry-After', error.retryAfter)
    const text = error.code === 'UNSUPPORTED_MEDIA_TYPE' ? 'The body must be application/x-www-form-urlencoded' : error.message
    send(reply, kept.has(status) ? status : 400, codes[status] ?? 'invalid_request', text)
  }
}

function send (reply: FastifyReply, status: number, error: OAuthErrorCode, description: string): void {
  reply.code(status).headers(noStore).type('application/json').send({ error, error_description: description })
}
