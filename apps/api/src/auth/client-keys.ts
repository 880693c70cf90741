import { randomBytes } from 'node:crypto'
import type { ClientRow } from '@fhir-bulk-export/core/db'
import { createLocalJWKSet, exportJWK, generateKeyPair, type CryptoKey } from 'jose'
import type { Assertion } from './read-assertion.ts'
import { createJwks, findKey, type Jwks } from './jwks.ts'

/** Addresses of key sets. The least recently used one is forgotten first. */
const maxRemembered = 1_000

export interface ClientKeys {
  /**
   * The key that an assertion names, among those that its client registered.
   * @throws an error of jose for no key or several; Error for a `jku` that was not registered; ServiceError UNAVAILABLE when the keys
   * cannot be fetched.
   */
  find: (client: ClientRow, header: Assertion['header']) => Promise<CryptoKey>
  /** A key that signed nothing: checking a signature with it takes as long as with a client's key. */
  decoy: (header: Assertion['header']) => Promise<CryptoKey>
}

export async function createClientKeys (options: { mayBePrivate: boolean }): Promise<ClientKeys> {
  const remembered = new Map<string, Jwks>()
  const { publicKey } = await generateKeyPair('ES384', { extractable: true })
  const rsaKey = { kty: 'RSA', alg: 'RS384', e: 'AQAB', n: toModulus(randomBytes(256)) }
  const decoys = { keys: [{ ...await exportJWK(publicKey), alg: 'ES384' }, rsaKey] }

  function getJwks (url: string): Jwks {
    const jwks = remembered.get(url) ?? createJwks(url, options)
    remembered.delete(url)
    remembered.set(url, jwks)
    const [oldest] = remembered.keys()
    if (remembered.size > maxRemembered && oldest !== undefined) remembered.delete(oldest)
    return jwks
  }

  return {
    async find ({ jwks, jwks_url: url }, { alg, kid, jku }) {
      if (jku !== undefined && jku !== url) throw new Error('jku is not the registered address')
      if (url !== null) return await getJwks(url).getKey({ alg, kid })
      const keys = (jwks?.keys ?? []) as Parameters<typeof createLocalJWKSet>[0]['keys']
      const key = await findKey(createLocalJWKSet({ keys }), { alg, kid })
      if (key === undefined) throw new Error('no key has this kid and fits the algorithm')
      return key
    },
    decoy: async ({ alg }) => await createLocalJWKSet(decoys)({ alg }), // imported each time, as the keys of a row are
  }
}

/** A random number, whose prime factors are not known: nothing can be signed with it. */
function toModulus (random: Buffer): string {
  random[0] = (random[0] ?? 0) | 0x80
  random[255] = (random[255] ?? 0) | 1
  return random.toString('base64url')
}
