import { KeyObject } from 'node:crypto'
import { minRsaBits } from '@fhir-bulk-export/core/clients'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { createLocalJWKSet, errors, type CryptoKey } from 'jose'
import { toFreshnessMs } from '../http/cache-control.ts'
import { fetchKeySet } from './fetch-key-set.ts'

/** Of a token that is not verified yet. */
export interface TokenHeader { alg: string, kid?: string }

export interface Jwks {
  /**
   * The public key for a token.
   * @throws ServiceError UNAVAILABLE when the keys cannot be had; an error of jose for no key or several.
   */
  getKey: (header: TokenHeader) => Promise<CryptoKey>
}

interface JwksOptions {
  /** Whether the keys may be in a network of our own. */
  mayBePrivate: boolean
  /** Keys are kept at least so long, whatever Cache-Control says. */
  minFreshnessMs?: number
  deadlineMs?: number
  /** Milliseconds. */
  clock?: () => number
}

/** The shortest time between two requests for the same key set, after a failure, too. */
export const intervalMs = 5_000
/** Without a Cache-Control. */
const defaultFreshnessMs = 600_000
/** The longest time that a revoked key goes on working. */
const maxFreshnessMs = 86_400_000

type KeyFinder = ReturnType<typeof createLocalJWKSet>

/**
 * The keys of an issuer. They are fetched with the first token, kept as long as Cache-Control allows (SMART Backend Services: SHALL NOT
 * be cached longer), and fetched again for a key that is not among them: an issuer may change its keys at any time.
 */
export function createJwks (
  url: string, { mayBePrivate, minFreshnessMs = 0, deadlineMs = 3_000, clock = () => performance.now() }: JwksOptions
): Jwks {
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

  async function getNewer (find: KeyFinder): Promise<KeyFinder> {
    if (known !== undefined && known.find !== find) return known.find // fetched for another token meanwhile
    const isNew = fetching === undefined && lastFailure === undefined && clock() < askAgainAt
    return isNew ? find : await refresh()
  }

  /** One request at a time for all tokens that wait. */
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
 * Undefined: no key of the set fits.
 * @throws an error of jose when several fit; ServiceError UNAVAILABLE for a key that fits and is unusable: the token may be good.
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
