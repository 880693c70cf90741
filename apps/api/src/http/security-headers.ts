const yearSeconds = 31_536_000

/**
 * Headers of every answer. A browser must not guess media types, nor send the address of an export to other sites, nor (RFC 6797, with an
 * https PUBLIC_URL) come back by http.
 */
export function toSecurityHeaders (publicUrl: string): Record<string, string> {
  return {
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    ...(publicUrl.startsWith('https:') ? { 'Strict-Transport-Security': `max-age=${yearSeconds}` } : {}),
  }
}
