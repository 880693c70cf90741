/** RFC 6749, 5.2; the last two of 4.1.2.1. */
export type OAuthErrorCode = 'invalid_request' | 'invalid_client' | 'invalid_scope' | 'unsupported_grant_type' |
  'temporarily_unavailable' | 'server_error'

/** The error of a token request. `reason` is for the log alone: it may say whether there is such a client. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly error: OAuthErrorCode
  readonly reason: string

  constructor (error: OAuthErrorCode, description: string, reason = description) {
    super(toDescription(description))
    this.error = error
    this.reason = toDescription(reason)
  }
}

/** RFC 6749, 5.2: `error_description` has no other characters than these. */
function toDescription (text: string): string {
  return text.replaceAll('"', '\'').replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
}

/** Input of a client, for a message to the client. */
export function shorten (text: string): string {
  return `'${text.length > 64 ? `${text.slice(0, 64)}...` : text}'`
}
