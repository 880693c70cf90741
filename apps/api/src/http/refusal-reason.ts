import { isServiceError, type ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyRequest } from 'fastify'

/** Why a request was refused, for its line in the log and the metrics: a code of a list, and a sentence without what was sent. */
export interface RefusalReason { code: string, reason: string, cause?: string | undefined }

const reasons = new WeakMap<FastifyRequest, RefusalReason>()

export function noteReason (request: FastifyRequest, reason: RefusalReason): void {
  reasons.set(request, reason)
}

export function findReason (request: FastifyRequest): RefusalReason | undefined {
  return reasons.get(request)
}

/** Text of a client stands between quotation marks (http/quote.ts), and stays out. */
export function toReason (error: ServiceError): RefusalReason {
  return { code: error.code, reason: error.message.replace(/"(?:[^"\\]|\\.)*"/g, '"…"'), cause: toCauseCode(error.cause) }
}

/** Of the framework and its plugins: `FAST_JWT_EXPIRED`. Their messages may quote a token or a body. */
function toCauseCode (cause: unknown): string | undefined {
  if (!(cause instanceof Error) || isServiceError(cause) || !('code' in cause)) return undefined
  const code = String(cause.code)
  return /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : undefined
}
