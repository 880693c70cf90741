import { KeyObject } from 'node:crypto'
import { minRsaBits } from '@fhir-bulk-export/core/clients'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { createLocalJWKSet, errors } from 'jose'
import type { CryptoKey } from 'jose'
import { toFreshnessMs } from '../http/cache-control.ts'
import { fetchKeySet } from './fetch-key-set.ts'

/** Of a token; none of it is trusted but to find a key. */
export interface TokenHeader { alg: string, kid?: string }

export interface Jwks {
  /**
   * The public key for a token.
   * @throws ServiceError UNAVAILABLE where it cannot be said whether there is one; an error of jose where there is none, or more than one.
   */
  getKey: (header: TokenHeader) => Promise<CryptoKey>
}

interface JwksOptions {
  /** Whether the keys may be in a network of our own. */
  mayBePrivate: boolean
  /** Keys are kept for so long, whatever Cache-Control says; default: no longer than it says. */
  minFreshnessMs?: number
  deadlineMs?: number
  /** Milliseconds. */
  clock?: () => number
}

/** The issuer is not asked more often for a key that is not among those it gave, or after a failure. */
export const intervalMs = 5_000
/** Without a Cache-Control. */
const defaultFreshnessMs = 600_000
/** A key that was taken back works no longer than this. */
const maxFreshnessMs = 86_400_000

type KeyFinder = ReturnType<typeof createLocalJWKSet>

/**
 * The keys of an outside issuer: fetched when the first token comes, kept as long as Cache-Control allows (SMART Backend
 * Services: SHALL NOT be cached longer), and fetched again for a key that is not among them, so that the issuer may change
 * its keys at any time. jose finds the key: by kid if the token names one, of a kty, crv, alg and use that fit the token's alg.
 */
export function createJwks (url: string, { mayBePrivate, minFreshnessMs = 0, deadlineMs = 3_000, clock = () => performance.now() }: JwksOptions): Jwks {
  let known: { find: KeyFinder, freshUntil: number } | undefined
  let fetching: Promise<KeyFinder> | undefined
  let askAgainAt = -Infinity
  let lastFailure: unknown

  async function getKey (header: TokenHeader): Promise<CryptoKey> {
    const find = known !== undefined && clock() < known.freshUntil ? known.find : await refresh()
    const key = await findKey(find, header) ?? await findKey(await getNewer(find), header)
    if (key === undefined) throw new errors.JWKSNoMatchingKey()
    return key
  }

  /** The issuer may have a key by now that was not in `find`. */
  async function getNewer (find: KeyFinder): Promise<KeyFinder> {
    if (known !== undefined && known.find !== find) return known.find // fetched for another token meanwhile
    const isNew = fetching === undefined && lastFailure === undefined && clock() < askAgainAt
    return isNew ? find : await refresh()
  }

  /** One request at a time, however many tokens wait for it. */
  async function refresh (): Promise<KeyFinder> {
    if (fetching === undefined) {
      if (lastFailure !== undefined && clock() < askAgainAt) throw unavailable(lastFailure)
      fetching = fetchKeys().finally(() => { fetching = undefined })
    }
    return await fetching
  }

  async function fetchKeys (): Promise<KeyFinder> {
    const begun = clock()
    askAgainAt = begun + intervalMs
    try {
      const { keySet, headers } = await fetchKeySet(url, { deadlineMs, mayBePrivate })
      const find = createLocalJWKSet(keySet)
      const freshMs = Math.min(maxFreshnessMs, Math.max(minFreshnessMs, toFreshnessMs(headers) ?? defaultFreshnessMs))
      known = { find, freshUntil: begun + freshMs }
      lastFailure = undefined
      return find
    } catch (cause) {
      lastFailure = cause
      throw unavailable(cause)
    }
  }

  function unavailable (cause: unknown): ServiceError {
    const retryAfter = Math.max(1, Math.ceil((askAgainAt - clock()) / 1_000))
    return new ServiceError('UNAVAILABLE', 'The keys of the token\'s issuer are unavailable', { cause, retryAfter })
  }

  return { getKey }
}

/**
 * Undefined: no key of the set fits. One that fits and cannot be used is its owner's fault, not the token's.
 * @throws an error of jose where more than one fits; ServiceError UNAVAILABLE.
 */
export async function findKey (find: KeyFinder, header: TokenHeader): Promise<CryptoKey | undefined> {
  try {
    const key = await find({ ...header })
    const { modulusLength = minRsaBits } = KeyObject.from(key).asymmetricKeyDetails ?? {}
    if (modulusLength < minRsaBits) throw new Error(`an RSA key has ${modulusLength} bits only`)
    return key
  } catch (cause) {
    if (cause instanceof errors.JWKSNoMatchingKey) return undefined
    if (cause instanceof errors.JWKSMultipleMatchingKeys) throw cause
    throw new ServiceError('UNAVAILABLE', 'A key of the token\'s issuer is unusable', { cause })
  }
}
