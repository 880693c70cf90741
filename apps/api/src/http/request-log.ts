import { LogController, type FastifyReply, type FastifyRequest } from 'fastify'
import { findReason } from './refusal-reason.ts'

/** One line a request, with the route and not the URL: a URL may hold health data. */
export class RequestLog extends LogController {
  override incomingRequest (): void {}

  override requestCompleted (err: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    if (err) request.log.warn({ ...describe(request, reply), err }, 'request broken off')
    else request.log.info(describe(request, reply), 'request')
  }

  /** After the headers were sent: the client went away, or the content could not be read to its end. */
  override streamError (err: Error & { code?: string }, request: FastifyRequest, reply: FastifyReply): void {
    const isClientGone = err.code === 'ERR_STREAM_PREMATURE_CLOSE' || err.name === 'AbortError'
    if (isClientGone) request.log.info(describe(request, reply), 'request broken off by the client')
    else request.log.error({ ...describe(request, reply), err }, 'request broken off')
  }

  override defaultErrorLog (err: Error, request: FastifyRequest, reply: FastifyReply): void {
    request.log.error({ ...describe(request, reply), err }, 'an error could not be reported')
  }

  override writeHeadError (err: Error, request: FastifyRequest, reply: FastifyReply): void {
    this.defaultErrorLog(err, request, reply)
  }
}

function describe (request: FastifyRequest, reply: FastifyReply) {
  return {
    method: request.method,
    route: request.routeOptions.url,
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime),
    ...findReason(request),
  }
}
