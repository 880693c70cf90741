import { METHODS } from 'node:http'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyInstance } from 'fastify'

/** Fastify knows the common methods only, and would answer the others with 404 instead of 405. CONNECT never gets here. */
export function acceptAllMethods (app: FastifyInstance): void {
  const known = new Set(app.supportedMethods)
  for (const method of METHODS) {
    if (!known.has(method) && method !== 'CONNECT') app.addHttpMethod(method)
  }
  // The body of a DELETE is ignored, whatever its type.
  app.addHttpMethod('DELETE', { hasBody: false, overrideExisting: true })
}

/** The methods of each path, filled as routes are registered. Call it before the first route. */
export function collectMethods (app: FastifyInstance): Map<string, Set<string>> {
  const methodsOf = new Map<string, Set<string>>()
  app.addHook('onRoute', function collect ({ url, method }) {
    const methods = methodsOf.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    methodsOf.set(url, methods)
  })
  return methodsOf
}

/** Answers other methods on known paths with 405 and `Allow` (RFC 9110, 15.5.6). Call it after the last route. */
export function refuseOtherMethods (app: FastifyInstance, methodsOf: Map<string, Set<string>>): void {
  for (const [url, methods] of [...methodsOf]) {
    const allowed = [...methods]
    app.route({
      url,
      method: app.supportedMethods.filter((method) => !methods.has(method)),
      schema: { hide: true }, // from the documentation
      // Before the body is parsed: it may be of any type and size.
      onRequest: async function refuseMethod (_request, reply) {
        reply.header('Allow', allowed.join(', '))
        throw new ServiceError('METHOD_NOT_ALLOWED', `The methods of this address are ${allowed.join(', ')}`)
      },
      handler: async () => {},
    })
  }
}
