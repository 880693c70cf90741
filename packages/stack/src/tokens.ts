import { createHmac } from 'node:crypto'

/** A JWT signed with HS256, RFC 7519. */
export function signToken (secret: string, claims: Record<string, unknown>, { lifetimeSeconds }: { lifetimeSeconds: number }): string {
  const now = Math.floor(Date.now() / 1_000)
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ iat: now, exp: now + lifetimeSeconds, ...claims })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
