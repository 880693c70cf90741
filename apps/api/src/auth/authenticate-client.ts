import { findClient, isClientId, useAssertion } from '@fhir-bulk-export/core/clients'
import type { ClientRow, Database } from '@fhir-bulk-export/core/db'
import { compactVerify, type CryptoKey } from 'jose'
import type { Kysely } from 'kysely'
import type { ClientKeys } from './client-keys.ts'
import { OAuthError } from './oauth-error.ts'
import { assertionAlgorithms, type Assertion } from './read-assertion.ts'

/**
 * Between the clocks of the database and of this process, at most. One says when an assertion expires, the other when its use is forgotten.
 */
const clockDifferenceMs = 60_000

/**
 * The client of an assertion (SMART App Launch 2.2, client-confidential-asymmetric). An unknown client, a disabled one and a wrong
 * signature get the same answer after the same work, so that the ids of clients stay secret. (The time to fetch keys can be seen.)
 * @throws OAuthError invalid_client
 */
export async function authenticateClient (
  { db, keys }: { db: Kysely<Database>, keys: ClientKeys }, assertion: string, { header, claims }: Assertion
): Promise<ClientRow> {
  const client = isClientId(claims.iss) ? await findClient(db, claims.iss) : undefined
  const { key, problem } = await findKeyOf(client, keys, header)
  const isSigned = await isSignedWith(key ?? await keys.decoy(header), assertion)
  if (client === undefined || problem !== undefined || !isSigned) throw refused(problem ?? 'the signature is wrong')
  if (client.disabled_at !== null) throw refused('the client is disabled')
  // After the signature: a third party cannot use up the client's ids.
  const expiresAt = new Date(claims.exp * 1_000 + clockDifferenceMs)
  const isFirst = await useAssertion(db, { clientId: client.id, jti: claims.jti, expiresAt })
  if (!isFirst) throw new OAuthError('invalid_client', 'client_assertion: jti was used before')
  return client
}

interface FoundKey { key: CryptoKey | undefined, problem: string | undefined }

async function findKeyOf (client: ClientRow | undefined, keys: ClientKeys, header: Assertion['header']): Promise<FoundKey> {
  if (client === undefined) return { key: undefined, problem: 'there is no such client' }
  try {
    return { key: await keys.find(client, header), problem: undefined }
  } catch (error) {
    const { message, cause } = error instanceof Error ? error : new Error('unknown error')
    return { key: undefined, problem: cause instanceof Error ? `${message}: ${cause.message}` : message }
  }
}

async function isSignedWith (key: CryptoKey, assertion: string): Promise<boolean> {
  return await compactVerify(assertion, key, { algorithms: assertionAlgorithms }).then(() => true, () => false)
}

function refused (reason: string): OAuthError {
  const description = 'client_assertion: no client that may have a token here has this iss, and a registered key with this kid (and jku) ' +
    'that signed it'
  return new OAuthError('invalid_client', description, reason)
}
