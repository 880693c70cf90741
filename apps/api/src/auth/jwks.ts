import { KeyObject } from 'node:crypto'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import { readAtMost } from '@fhir-bulk-export/core/read-at-most'
import { createLocalJWKSet, errors } from 'jose'
import type { CryptoKey, JSONWebKeySet } from 'jose'
import { toFreshnessMs } from '../http/cache-control.ts'

/** Of a token; none of it is trusted but to find a key. */
interface TokenHeader { alg: string, kid?: string }

export interface Jwks {
  /**
   * The public key for a token, as PEM.
   * @throws ServiceError UNAVAILABLE where it cannot be said whether there is one; an error of jose where there is none, or more than one.
   */
  getKey: (header: TokenHeader) => Promise<string>
}

interface JwksOptions {
  deadlineMs?: number
  /** Milliseconds. */
  clock?: () => number
}

/** The issuer is not asked more often, whatever its Cache-Control says, tokens name or fetches come to. */
const intervalMs = 5_000
/** Without a Cache-Control. */
const defaultFreshnessMs = 600_000
/** A key that was taken back works no longer than this. */
const maxFreshnessMs = 86_400_000

/** Some hundred keys. */
const maxKeySetBytes = 256 * 1024

/** RFC 7518, 3.3. */
const minRsaBits = 2048

type KeyFinder = ReturnType<typeof createLocalJWKSet>

/**
 * The keys of an outside issuer: fetched when the first token comes, kept as long as Cache-Control allows (SMART Backend
 * Services: SHALL NOT be cached longer), and fetched again for a key that is not among them, so that the issuer may change
 * its keys at any time. jose finds the key: by kid if the token names one, of a kty, crv, alg and use that fit the token's alg.
 */
export function createJwks (url: string, { deadlineMs = 3_000, clock = () => performance.now() }: JwksOptions = {}): Jwks {
  let known: { find: KeyFinder, freshUntil: number } | undefined
  let fetching: Promise<KeyFinder> | undefined
  let askAgainAt = -Infinity
  let lastFailure: unknown

  async function getKey (header: TokenHeader): Promise<string> {
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
      if (clock() < askAgainAt) throw unavailable(lastFailure)
      fetching = fetchKeys().finally(() => { fetching = undefined })
    }
    return await fetching
  }

  async function fetchKeys (): Promise<KeyFinder> {
    const begun = clock()
    askAgainAt = begun + intervalMs
    try {
      const response = await fetch(url, {
        headers: { Accept: 'application/jwk-set+json, application/json' },
        redirect: 'error', // it might lead out of https
        signal: AbortSignal.timeout(deadlineMs),
      })
      if (!response.ok) {
        await response.body?.cancel()
        throw new Error(`the key set was answered with status ${response.status}`)
      }
      const body = response.body === null ? '' : await readAtMost(response.body, maxKeySetBytes)
      const find = createLocalJWKSet(JSON.parse(body.toString()) as JSONWebKeySet) // jose checks its form
      const freshMs = toFreshnessMs(response.headers) ?? defaultFreshnessMs
      known = { find, freshUntil: begun + Math.min(maxFreshnessMs, Math.max(intervalMs, freshMs)) }
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

/** PEM. Undefined: no key of the set fits. One that fits and cannot be used is the issuer's fault, not the token's. */
async function findKey (find: KeyFinder, header: TokenHeader): Promise<string | undefined> {
  try {
    return toPem(await find({ ...header }))
  } catch (cause) {
    if (cause instanceof errors.JWKSNoMatchingKey) return undefined
    if (cause instanceof errors.JWKSMultipleMatchingKeys) throw cause
    throw new ServiceError('UNAVAILABLE', 'A key of the token\'s issuer is unusable', { cause })
  }
}

const pems = new WeakMap<CryptoKey, string>()

function toPem (key: CryptoKey): string {
  const known = pems.get(key)
  if (known !== undefined) return known
  const keyObject = KeyObject.from(key)
  const { modulusLength = minRsaBits } = keyObject.asymmetricKeyDetails ?? {}
  if (modulusLength < minRsaBits) throw new Error(`an RSA key has ${modulusLength} bits only`)
  const pem = keyObject.export({ type: 'spki', format: 'pem' }).toString()
  pems.set(key, pem)
  return pem
}
