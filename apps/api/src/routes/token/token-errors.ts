import type { FastifyReply, FastifyRequest } from 'fastify'
import { OAuthError, type OAuthErrorCode } from '../../auth/oauth-error.ts'
import { httpErrors } from '../../errors/http-errors.ts'
import { noteReason, toReason } from '../../http/refusal-reason.ts'
import { toServiceError } from '../../errors/service-error.ts'

/** RFC 6749, 5.1: headers of every answer. */
export const noStore = { 'Cache-Control': 'no-store', Pragma: 'no-cache' }

/** By status. All other errors are invalid_request (RFC 6749, 5.2). */
const codes: Partial<Record<number, OAuthErrorCode>> = {
  429: 'temporarily_unavailable', 500: 'server_error', 503: 'temporarily_unavailable',
}
/** RFC 6749, 5.2: other statuses become 400. */
const kept = new Set([408, 413, 429, 500, 503])

/** Sends errors as RFC 6749, 5.2 has them, those of the framework, too. */
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
