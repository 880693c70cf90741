import { KeyObject } from 'node:crypto'
import type { FastifyJWTOptions, TokenOrHeader } from '@fastify/jwt'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyRequest } from 'fastify'
import type { CryptoKey } from 'jose'
import type { ApiConfig } from '../config.ts'
import { toOwnIssuer } from './access-token.ts'
import { createJwks, intervalMs } from './jwks.ts'

const clockToleranceMs = 60_000
const secretAlgorithms = ['HS256', 'HS384', 'HS512']
const publicKeyAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']

interface TokenHeader { alg: string, kid?: string }
interface Issued { iss?: unknown, aud?: unknown }

/** Algorithms are either of secrets or of key pairs: otherwise a public key would do as a secret (RFC 8725, 2.1). */
interface Issuer {
  algorithms: string[]
  getKey: (header: TokenHeader) => Promise<string>
  /** Undefined: any, or none. */
  issuer: string | undefined
  audience: string | undefined
}

/**
 * Every token is verified with the key of its issuer: this service (for registered clients), or else JWKS_URL's issuer, or without
 * JWKS_URL the operator, with JWT_SECRET.
 */
export function toTokenVerification (config: ApiConfig): FastifyJWTOptions {
  const findIssuer = createIssuers(config)
  return {
    secret: {
      public: async function getKey (_request: FastifyRequest, token: TokenOrHeader) {
        if (!('payload' in token)) throw new Error('decode.complete gives header and payload')
        const { header, payload } = token as { header: TokenHeader, payload: Issued }
        const { algorithms, getKey } = findIssuer(payload.iss)
        // Before keys are fetched.
        if (!algorithms.includes(header.alg)) {
          throw new ServiceError('UNAUTHORIZED', 'The bearer token is signed with an algorithm that is not accepted')
        }
        return await getKey({ alg: header.alg, ...(header.kid === undefined ? {} : { kid: header.kid }) })
      },
    },
    decode: { complete: true },
    verify: { clockTolerance: clockToleranceMs, requiredClaims: ['exp'] },
    trusted: function isMeant (_request: FastifyRequest, { iss, aud }: Issued) {
      const { issuer, audience } = findIssuer(iss)
      return (issuer === undefined || iss === issuer) && (audience === undefined || [aud].flat().includes(audience))
    },
  }
}

function createIssuers (config: ApiConfig): (iss: unknown) => Issuer {
  const { JWT_SECRET: secret, JWKS_URL: jwksUrl, JWT_ISSUER: issuer, JWT_AUDIENCE: audience, PUBLIC_URL: publicUrl } = config
  const getSecret = async () => secret ?? ''
  const own: Issuer = { algorithms: secretAlgorithms, getKey: getSecret, ...toOwnIssuer(publicUrl) }
  const other: Issuer = jwksUrl === undefined
    ? { algorithms: secretAlgorithms, getKey: getSecret, issuer, audience }
    : { algorithms: publicKeyAlgorithms, getKey: toPemOf(jwksUrl), issuer, audience }
  return (iss) => secret !== undefined && iss === own.issuer ? own : other
}

function toPemOf (jwksUrl: string): Issuer['getKey'] {
  const jwks = createJwks(jwksUrl, { mayBePrivate: true, minFreshnessMs: intervalMs })
  const pems = new WeakMap<CryptoKey, string>()
  return async function getPem (header) {
    const key = await jwks.getKey(header)
    const pem = pems.get(key) ?? KeyObject.from(key).export({ type: 'spki', format: 'pem' }).toString()
    pems.set(key, pem)
    return pem
  }
}
