import { findClient, isClientId, useAssertion } from '@fhir-bulk-export/core/clients'
import type { ClientRow, Database } from '@fhir-bulk-export/core/db'
import { compactVerify } from 'jose'
import type { CryptoKey } from 'jose'
import type { Kysely } from 'kysely'
import type { ClientKeys } from './client-keys.ts'
import { OAuthError } from './oauth-error.ts'
import { assertionAlgorithms } from './read-assertion.ts'
import type { Assertion } from './read-assertion.ts'

/** Of the database and this process, at most: by the one an assertion expires, by the other it is forgotten that it was used. */
const clockDifferenceMs = 60_000

/**
 * The client whose assertion this is (SMART App Launch 2.2, client-confidential-asymmetric). One that is unknown, is disabled, or did not sign it
 * is told the same after the same work: nobody learns here which clients there are. (How long it takes to fetch keys can be seen.)
 * @throws OAuthError invalid_client
 */
export async function authenticateClient ({ db, keys }: { db: Kysely<Database>, keys: ClientKeys }, assertion: string, { header, claims }: Assertion): Promise<ClientRow> {
  const client = isClientId(claims.iss) ? await findClient(db, claims.iss) : undefined
  const { key, problem } = client === undefined ? { key: undefined, problem: 'there is no such client' } : await findItsKey(keys, client, header)
  const isSigned = await isSignedWith(key ?? await keys.decoy(header), assertion)
  if (client === undefined || problem !== undefined || !isSigned) throw refused(problem ?? 'the signature is wrong')
  if (client.disabled_at !== null) throw refused('the client is disabled')
  // Of a client that is known by now: a third party can use up none of its ids.
  const isFirst = await useAssertion(db, { clientId: client.id, jti: claims.jti, expiresAt: new Date(claims.exp * 1_000 + clockDifferenceMs) })
  if (!isFirst) throw new OAuthError('invalid_client', 'client_assertion: jti was used before')
  return client
}

interface FoundKey { key: CryptoKey | undefined, problem: string | undefined }

async function findItsKey (keys: ClientKeys, client: ClientRow, header: Assertion['header']): Promise<FoundKey> {
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
  return new OAuthError('invalid_client', 'client_assertion: no client that may have a token here has this iss, and a registered key with this kid (and jku) that signed it', reason)
}
