import type { FastifyInstance } from 'fastify'
import { OAuthError, shorten } from '../../auth/oauth-error.ts'

const form = 'application/x-www-form-urlencoded'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export interface TokenRequest {
  scope: string
  assertion: string
  clientId: string | undefined
}

/** Makes the routes of a context take forms, in which no name stands twice (RFC 6749, 3.2). */
export function acceptForms (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>(form, { parseAs: 'string' }, async function parseForm (_request: unknown, body: string) {
    const members = [...new URLSearchParams(body)]
    const names = new Set<string>()
    for (const [name] of members) {
      if (names.has(name)) throw new OAuthError('invalid_request', `${shorten(name)} is given twice`)
      names.add(name)
    }
    return Object.fromEntries(members)
  })
}

/**
 * SMART App Launch 2.2, Backend Services. RFC 6749, 3.2: a parameter without a value counts as one that is not there; unknown ones are
 * ignored.
 * @throws OAuthError invalid_request, unsupported_grant_type, invalid_scope
 */
export function readTokenRequest (form: Partial<Record<string, string>> | undefined = {}): TokenRequest {
  const get = (name: string) => form[name] ?? ''
  if (get('grant_type') === '') throw new OAuthError('invalid_request', 'grant_type is missing: expected client_credentials')
  if (get('grant_type') !== 'client_credentials') {
    throw new OAuthError('unsupported_grant_type', `grant_type is ${shorten(get('grant_type'))}: expected client_credentials`)
  }
  if (get('client_assertion_type') === '') {
    throw new OAuthError('invalid_request', `client_assertion_type is missing: expected ${assertionType}`)
  }
  if (get('client_assertion_type') !== assertionType) {
    throw new OAuthError('invalid_request', `client_assertion_type is ${shorten(get('client_assertion_type'))}: expected ${assertionType}`)
  }
  if (get('client_assertion') === '') throw new OAuthError('invalid_request', 'client_assertion is missing')
  if (get('scope').trim() === '') throw new OAuthError('invalid_scope', 'scope is missing or empty')
  return { scope: get('scope'), assertion: get('client_assertion'), clientId: get('client_id') || undefined }
}
