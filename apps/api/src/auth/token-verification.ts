import type { FastifyJWTOptions, TokenOrHeader } from '@fastify/jwt'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyRequest } from 'fastify'
import type { ApiConfig } from '../config.ts'
import { createJwks } from './jwks.ts'

const clockToleranceMs = 60_000
const secretAlgorithms = ['HS256', 'HS384', 'HS512'] as const
const publicKeyAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const

/**
 * How tokens are verified: with our own secret, or with the public keys of an outside issuer. Neither takes the algorithms of
 * the other, or a public key would do as a secret (RFC 8725, 2.1).
 */
export function toTokenVerification (config: ApiConfig): FastifyJWTOptions {
  const { JWT_SECRET: secret, JWKS_URL: jwksUrl, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = config
  const claims = {
    clockTolerance: clockToleranceMs,
    // fast-jwt checks the issuer and the audience of tokens that have one: they must be required, too.
    requiredClaims: ['exp', ...(issuer === undefined ? [] : ['iss']), ...(audience === undefined ? [] : ['aud'])],
    ...(issuer === undefined ? {} : { allowedIss: issuer }),
    ...(audience === undefined ? {} : { allowedAud: audience }),
  }
  if (jwksUrl === undefined) {
    if (secret === undefined) throw new Error('the configuration has a secret or a key set')
    return { secret, verify: { algorithms: [...secretAlgorithms], ...claims } }
  }

  const jwks = createJwks(jwksUrl)
  return {
    secret: {
      public: async function getKey (_request: FastifyRequest, token: TokenOrHeader) {
        const { alg, kid } = 'header' in token ? token.header : token
        // Before the issuer is asked for anything.
        if (!publicKeyAlgorithms.some((known) => known === alg)) throw new ServiceError('UNAUTHORIZED', 'The bearer token is signed with an algorithm that is not accepted')
        return await jwks.getKey({ alg, ...(kid === undefined ? {} : { kid }) })
      },
    },
    decode: { complete: true }, // for the header
    verify: { algorithms: [...publicKeyAlgorithms], ...claims },
  }
}
