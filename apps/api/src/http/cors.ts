import type { FastifyCorsOptions } from '@fastify/cors'

/**
 * Headers and methods for clients in browsers, beyond those that need no permission (https://fetch.spec.whatwg.org/#http-cors-protocol).
 */
export function toCorsOptions (origins: readonly string[]): FastifyCorsOptions {
  return {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    allowedHeaders: ['Accept', 'Authorization', 'Content-Type', 'If-Match', 'If-None-Match', 'If-Range', 'Prefer', 'Range', 'X-Request-Id'],
    exposedHeaders: [
      'Accept-Ranges', 'Content-Encoding', 'Content-Length', 'Content-Location', 'Content-Range', 'ETag', 'Expires', 'Preference-Applied',
      'Retry-After', 'WWW-Authenticate',
      'X-Export-Status', 'X-Progress', 'X-Request-Id',
    ],
    maxAge: 600,
    strictPreflight: false, // an OPTIONS that is no preflight is answered as one: 204
  }
}
