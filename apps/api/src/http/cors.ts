import type { FastifyCorsOptions } from '@fastify/cors'

/** What a client in a browser may send and read, beyond what it may without being allowed to (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export function corsFor (origins: readonly string[]): FastifyCorsOptions {
  return {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    allowedHeaders: ['Accept', 'Authorization', 'Content-Type', 'If-Match', 'If-None-Match', 'If-Range', 'Prefer', 'Range', 'X-Request-Id'],
    exposedHeaders: [
      'Accept-Ranges', 'Content-Encoding', 'Content-Length', 'Content-Location', 'Content-Range', 'ETag', 'Expires', 'Preference-Applied', 'Retry-After', 'WWW-Authenticate',
      'X-Export-Status', 'X-Progress', 'X-Request-Id',
    ],
    maxAge: 600,
    strictPreflight: false, // an OPTIONS that is no preflight is answered as one: 204
  }
}
