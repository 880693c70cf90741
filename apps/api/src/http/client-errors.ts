import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ServiceError, type ErrorCode } from '@fhir-bulk-export/core/errors'
import { httpErrors } from '../errors/http-errors.ts'
import { fhirJson, toOutcome } from '../errors/outcome.ts'
import { toSecurityHeaders } from '../http/security-headers.ts'

const codes: Record<string, ErrorCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
}

interface Refused { status: number, code: ErrorCode, cause: string | undefined }

/** Answers bytes that are no HTTP request. No route and no error handler sees them, so the answer is written to the socket. */
export function createClientErrorHandler (
  publicUrl: string, isAnswering: (socket: Socket) => boolean, onRefused: (refused: Refused) => void
) {
  const securityHeaders = Object.entries(toSecurityHeaders(publicUrl)).map(([name, value]) => `${name}: ${value}`)
  return function sendClientError ({ code }: { code?: string }, socket: Socket): void {
    if (code === 'ECONNRESET' || socket.destroyed || !socket.writable || isAnswering(socket)) {
      socket.destroy()
      return
    }
    const error = new ServiceError(codes[code ?? ''] ?? 'MALFORMED_REQUEST')
    const { status } = httpErrors[error.code]
    onRefused({ status, code: error.code, cause: code })
    const body = JSON.stringify(toOutcome(error, publicUrl))
    socket.end([
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `Content-Type: ${fhirJson}; charset=utf-8`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Cache-Control: no-store',
      ...securityHeaders,
      'Connection: close',
      '',
      body,
    ].join('\r\n'))
  }
}
