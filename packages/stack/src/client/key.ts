import { readFile, writeFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, importJWK, SignJWT, type CryptoKey, type JWK } from 'jose'
import { CommandError } from '../command-error.ts'
import { ask } from './http.ts'

/* A client of SMART Backend Services, on its own side: a key, and assertions that it signs. */

const alg = 'ES384'

/** Of `<name>`: the private key, and the set of public ones that is registered. */
export function keyFiles (name: string): { keyFile: string, jwksFile: string } {
  return { keyFile: `${name}.key.json`, jwksFile: `${name}.jwks.json` }
}

/** Writes a new key, readable by us alone, and its public half. @throws unless there is none yet. */
export async function createClientKey (name: string): Promise<void> {
  const { keyFile, jwksFile } = keyFiles(name)
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const common = { kid: randomUUID(), alg, use: 'sig' }
  await writeFile(keyFile, `${JSON.stringify({ ...await exportJWK(privateKey), ...common })}\n`, { mode: 0o600, flag: 'wx' })
  await writeFile(jwksFile, `${JSON.stringify({ keys: [{ ...await exportJWK(publicKey), ...common }] })}\n`)
}

/** SMART App Launch 2.2, client-confidential-asymmetric: good for a minute, and once. */
export async function signAssertion (
  { clientId, keyFile, tokenUrl }: { clientId: string, keyFile: string, tokenUrl: string }
): Promise<string> {
  const jwk = JSON.parse(await readFile(keyFile, 'utf8')) as JWK
  return await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: jwk.alg ?? alg, typ: 'JWT', ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) })
    .setIssuer(clientId).setSubject(clientId).setAudience(tokenUrl).setExpirationTime('1m')
    .sign(await importJWK(jwk, jwk.alg ?? alg) as CryptoKey)
}

/** SMART Backend Services: an access token for the assertion. */
export async function getToken (
  { scope, ...client }: { clientId: string, keyFile: string, tokenUrl: string, scope: string }
): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    scope,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signAssertion(client),
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const { status, text } = await ask(client.tokenUrl, { method: 'POST', headers, body: form.toString() })
  if (status !== 200) throw new CommandError(`${client.tokenUrl} answered ${status}\n${text}`)
  return (JSON.parse(text) as { access_token: string }).access_token
}
