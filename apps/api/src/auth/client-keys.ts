import { randomBytes } from 'node:crypto'
import type { ClientRow } from '@fhir-bulk-export/core/db'
import { createLocalJWKSet, exportJWK, generateKeyPair } from 'jose'
import type { CryptoKey } from 'jose'
import type { Assertion } from './read-assertion.ts'
import { createJwks, findKey } from './jwks.ts'
import type { Jwks } from './jwks.ts'

/** Key sets at addresses that are remembered; the one that was not used for the longest time is forgotten first. */
const maxRemembered = 1_000

export interface ClientKeys {
  /**
   * The key that an assertion names, among those that its client registered.
   * @throws an error of jose where there is none or more than one; Error for a `jku` that was not registered; ServiceError UNAVAILABLE where they cannot be fetched.
   */
  find: (client: ClientRow, header: Assertion['header']) => Promise<CryptoKey>
  /** A key that signed nothing: to check an assertion with it takes as long as with one that is somebody's. */
  decoy: (header: Assertion['header']) => Promise<CryptoKey>
}

export async function createClientKeys (options: { mayBePrivate: boolean }): Promise<ClientKeys> {
  const remembered = new Map<string, Jwks>()
  const decoys = {
    keys: [{ ...await exportJWK((await generateKeyPair('ES384', { extractable: true })).publicKey), alg: 'ES384' }, { kty: 'RSA', alg: 'RS384', e: 'AQAB', n: toModulus(randomBytes(256)) }],
  }

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
      const key = await findKey(createLocalJWKSet({ keys: (jwks?.keys ?? []) as Parameters<typeof createLocalJWKSet>[0]['keys'] }), { alg, kid })
      if (key === undefined) throw new Error('no key has this kid and fits the algorithm')
      return key
    },
    decoy: async ({ alg }) => await createLocalJWKSet(decoys)({ alg }), // made usable anew, as those of a row are
  }
}

/** No product of two primes that anybody knows: nothing was signed with it, nor will be. */
function toModulus (random: Buffer): string {
  random[0] = (random[0] ?? 0) | 0x80
  random[255] = (random[255] ?? 0) | 1
  return random.toString('base64url')
}
