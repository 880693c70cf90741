import { decodeJwt, decodeProtectedHeader } from 'jose'
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { OAuthError, shorten } from './oauth-error.ts'

/** SMART App Launch 2.2, client-confidential-asymmetric. */
export const assertionAlgorithms = ['RS384', 'ES384']
const maxLifetimeSeconds = 300
/** For clocks that differ. */
const toleranceSeconds = 5

const text = Type.String({ minLength: 1 })
const headerMembers = {
  alg: Type.Union(assertionAlgorithms.map((alg) => Type.Literal(alg))),
  kid: text,
  typ: Type.Optional(Type.String({ pattern: '^([Aa][Pp]{2}[Ll][Ii][Cc][Aa][Tt][Ii][Oo][Nn]/)?[Jj][Ww][Tt]$' })),
  jku: Type.Optional(text),
}
const claimMembers = {
  iss: text, sub: text, aud: Type.Union([text, Type.Array(text)]), exp: Type.Number(), nbf: Type.Optional(Type.Number()), jti: text,
}
const header = Type.Object(headerMembers)
const claims = Type.Object(claimMembers)

const expected: Record<string, string> = {
  alg: `one of ${assertionAlgorithms.join(', ')}`,
  typ: 'JWT',
  kid: 'the id of the key',
  jku: 'the registered address of the keys',
  iss: 'the client id',
  sub: 'the client id',
  exp: 'a number of seconds',
  nbf: 'a number of seconds',
  jti: 'a text that is used once',
}

export interface Assertion { header: Static<typeof header>, claims: Static<typeof claims> }

interface Expected {
  tokenUrl: string
  nowSeconds: number
  /** Of the form (RFC 7521, 4.2). */
  clientId: string | undefined
}

/**
 * The header and claims of an assertion, checked without its client and without its signature.
 * @throws OAuthError invalid_client that names the claim.
 */
export function readAssertion (assertion: string, { tokenUrl, nowSeconds, clientId }: Expected): Assertion {
  const decoded = decode(assertion)
  for (const [schema, part] of [[header, decoded.header], [claims, decoded.claims]] as const) {
    const name = Value.Errors(schema, part).First()?.path.split('/')[1]
    if (name !== undefined) throw refused(`${name} is missing or wrong: expected ${name === 'aud' ? tokenUrl : expected[name]}`)
  }
  if (!Value.Check(header, decoded.header) || !Value.Check(claims, decoded.claims)) throw refused('it is malformed')
  const { iss, sub, aud, exp, nbf = 0 } = decoded.claims
  if (iss !== sub) throw refused('iss and sub are not the same')
  if (clientId !== undefined && clientId !== iss) throw refused('iss is not the client_id of the form')
  if (![aud].flat().includes(tokenUrl)) throw refused(`aud is ${shorten(String(aud))}: expected ${tokenUrl}`)
  if (exp <= nowSeconds) throw refused('exp is over')
  if (exp > nowSeconds + maxLifetimeSeconds + toleranceSeconds) throw refused(`exp is more than ${maxLifetimeSeconds} seconds ahead`)
  if (nbf > nowSeconds + toleranceSeconds) throw refused('nbf is still to come')
  return { header: decoded.header, claims: decoded.claims }
}

function decode (assertion: string): { header: unknown, claims: unknown } {
  try {
    return { header: decodeProtectedHeader(assertion), claims: decodeJwt(assertion) }
  } catch {
    throw refused('it is no signed JWT')
  }
}

function refused (problem: string): OAuthError {
  return new OAuthError('invalid_client', `client_assertion: ${problem}`)
}
