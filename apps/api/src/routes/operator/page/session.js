/* The session. Token and key are kept here, in memory, and nowhere else. */

const base = new URL('../../', import.meta.url)
/** Before a token expires, a client with a key gets itself the next one. */
const renewBeforeMs = 60_000
const lifeSeconds = 60

let session // { token, renew, renewAt, renewing }

export class Refused extends Error {
  constructor (status, message, retryAfterSeconds) {
    super(message)
    this.status = status
    this.retryAfterSeconds = retryAfterSeconds
  }
}

async function send (path, options) {
  try {
    return await fetch(new URL(path, base), options)
  } catch {
    throw new Error('The API cannot be reached')
  }
}

export const isSignedIn = () => session !== undefined

export function signOut () {
  session = undefined
}

export function signInWithToken (token) {
  session = { token: token.trim().replace(/^bearer\s+/i, ''), renewAt: Infinity }
}

/** SMART Backend Services, of a client whose private key is a JWK. */
export async function signInWithKey (clientId, jwkText) {
  const signer = await importKey(jwkText)
  const tokenUrl = await findTokenUrl()
  const renew = async () => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/*.rs',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await signAssertion(signer, clientId, tokenUrl),
    })
    const response = await send('auth/token', { method: 'POST', body: form, cache: 'no-store' })
    const answer = await response.json().catch(() => ({}))
    if (!response.ok) {
      throw new Refused(response.status, answer.error_description ?? answer.error ?? `The token endpoint answered ${response.status}`)
    }
    session = { token: answer.access_token, renew, renewAt: Date.now() + answer.expires_in * 1_000 - renewBeforeMs }
  }
  await renew()
}

async function importKey (jwkText) {
  if (globalThis.crypto.subtle === undefined) throw new Error('A browser signs only on pages that came by https, or from this machine')
  let jwk
  try {
    jwk = JSON.parse(jwkText)
  } catch {
    throw new Error('The key is not JSON')
  }
  const algorithms = {
    EC: { alg: 'ES384', key: { name: 'ECDSA', namedCurve: 'P-384' }, sign: { name: 'ECDSA', hash: 'SHA-384' } },
    RSA: { alg: 'RS384', key: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' }, sign: { name: 'RSASSA-PKCS1-v1_5' } },
  }
  const algorithm = algorithms[jwk?.kty]
  if (algorithm === undefined || jwk.d === undefined) throw new Error('The key is not a private JWK for ES384 or RS384')
  const { kty, crv, x, y, d, n, e, p, q, dp, dq, qi, kid } = jwk
  try {
    const key = await crypto.subtle.importKey('jwk', { kty, crv, x, y, d, n, e, p, q, dp, dq, qi }, algorithm.key, false, ['sign'])
    return { ...algorithm, key, kid }
  } catch {
    throw new Error('The key is not a private JWK for ES384 or RS384')
  }
}

/** The audience of an assertion may be written otherwise than the address of this page. */
async function findTokenUrl () {
  const response = await send('fhir/r4/.well-known/smart-configuration', { headers: { Accept: 'application/json' } })
  const { token_endpoint: tokenUrl } = response.ok ? await response.json() : {}
  if (tokenUrl === undefined || !tokenUrl.endsWith('/auth/token')) {
    throw new Error('Tokens are not given out here: get one from the issuer, and paste it')
  }
  return tokenUrl
}

async function signAssertion ({ key, kid, alg, sign }, clientId, tokenUrl) {
  const claims = {
    iss: clientId, sub: clientId, aud: tokenUrl, jti: crypto.randomUUID(), exp: Math.floor(Date.now() / 1_000) + lifeSeconds,
  }
  const header = { alg, typ: 'JWT', ...(kid === undefined ? {} : { kid }) }
  const signed = [header, claims].map((part) => toBase64Url(new TextEncoder().encode(JSON.stringify(part)))).join('.')
  return `${signed}.${toBase64Url(new Uint8Array(await crypto.subtle.sign(sign, key, new TextEncoder().encode(signed))))}`
}

function toBase64Url (bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** A request to the API by the token. Rejects with Refused for an answer that is none. */
export async function ask (path, { method = 'GET' } = {}) {
  if (session === undefined) throw new Refused(401, 'Signed out')
  const current = session
  if (current.renew !== undefined && Date.now() > current.renewAt) await (current.renewing ??= current.renew()) // once, however many ask
  const response = await send(path, {
    method, headers: { Authorization: `Bearer ${session?.token}`, Accept: 'application/json' }, cache: 'no-store',
  })
  if (response.ok) return response.headers.get('content-type')?.includes('json') ? await response.json() : undefined
  const outcome = await response.json().catch(() => ({}))
  const retryAfter = Number(response.headers.get('retry-after'))
  throw new Refused(response.status, outcome.issue?.[0]?.diagnostics ?? `The API answered ${response.status}`,
    Number.isFinite(retryAfter) ? retryAfter : 0)
}
