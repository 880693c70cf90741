import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyInstance, FastifyRequest } from 'fastify'

const types: ReadonlySet<string> = new Set(['application/fhir+json', 'application/json'])

/** Makes the routes of a context take JSON of these two types, or an empty body of any type (undefined). */
export function acceptJsonOrEmpty (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, async function parseBody (
    request: FastifyRequest, body: Buffer
  ): Promise<unknown> {
    if (body.length === 0) return undefined
    const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
    const coding = request.headers['content-encoding'] ?? 'identity'
    if (!types.has(type) || coding !== 'identity') {
      throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', `The body must be ${[...types].join(' or ')}, not compressed, or empty`)
    }
    return parseJson(body)
  })
  app.addHook('onRequest', removeTypeOfEmptyBody)
}

/** The framework would refuse an empty body for its type. */
async function removeTypeOfEmptyBody ({ headers }: FastifyRequest): Promise<void> {
  const isEmpty = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
  if (isEmpty) delete headers['content-type']
}

function parseJson (body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw new ServiceError('MALFORMED_REQUEST', 'The body is not JSON in UTF-8', { cause })
  }
}
