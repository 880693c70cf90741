const yearSeconds = 31_536_000

/**
 * For every answer: a browser takes it for nothing but its media type, tells no other site the address of an export, and
 * (RFC 6797, where clients come by https) never comes by http again.
 */
export function toSecurityHeaders (publicUrl: string): Record<string, string> {
  return {
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    ...(publicUrl.startsWith('https:') ? { 'Strict-Transport-Security': `max-age=${yearSeconds}` } : {}),
  }
}
