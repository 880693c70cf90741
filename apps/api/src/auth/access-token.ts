import { randomUUID } from 'node:crypto'
import { toFhirBase } from '@fhir-bulk-export/core/fhir-base'
import { SignJWT } from 'jose'

/** SMART App Launch 2.2, Backend Services: SHOULD NOT exceed 300. */
export const accessTokenSeconds = 300

export function toTokenUrl (publicUrl: string): string {
  return `${publicUrl}/auth/token`
}

/** `iss` and `aud` of the tokens that registered clients get. JWT_ISSUER must be another. */
export function toOwnIssuer (publicUrl: string): { issuer: string, audience: string } {
  return { issuer: `${publicUrl}/auth`, audience: toFhirBase(publicUrl) }
}

interface Granted { publicUrl: string, secret: string, clientId: string, scope: string }

/** A JWT with the claims of RFC 9068. */
export async function signAccessToken ({ publicUrl, secret, clientId, scope }: Granted): Promise<string> {
  const { issuer, audience } = toOwnIssuer(publicUrl)
  const now = Math.floor(Date.now() / 1_000)
  return await new SignJWT({ client_id: clientId, scope })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
    .setIssuer(issuer).setAudience(audience).setSubject(clientId)
    .setIssuedAt(now).setExpirationTime(now + accessTokenSeconds).setJti(randomUUID())
    .sign(Buffer.from(secret))
}
