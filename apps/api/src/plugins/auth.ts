import jwt from '@fastify/jwt'
import { ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { toCaller } from '../auth/caller.ts'
import type { Caller } from '../auth/caller.ts'
import type { ApiConfig } from '../config.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. Only where this plugin is registered: elsewhere it throws. */
    caller: Caller
  }
}

const clockToleranceMs = 60_000

/** Every route of the context it is registered in asks for a bearer token, before anything else is looked at. */
export const auth = fp(async function auth (app, { config }: { config: ApiConfig }) {
  const { JWT_SECRET: secret, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = config
  await app.register(jwt, {
    secret,
    verify: {
      algorithms: ['HS256', 'HS384', 'HS512'],
      clockTolerance: clockToleranceMs,
      // fast-jwt checks the issuer and the audience of tokens that have one: they must be required, too.
      requiredClaims: ['exp', ...(issuer === undefined ? [] : ['iss']), ...(audience === undefined ? [] : ['aud'])],
      ...(issuer === undefined ? {} : { allowedIss: issuer }),
      ...(audience === undefined ? {} : { allowedAud: audience }),
    },
  })

  const callers = new WeakMap<FastifyRequest, Caller>()
  app.decorateRequest('caller', {
    getter () {
      const caller = callers.get(this)
      if (caller === undefined) throw new Error('this route does not authenticate')
      return caller
    },
  })

  app.addHook('onRequest', async function authenticate (request) {
    const claims = await verify(request)
    callers.set(request, toCaller(claims, { publicUrl: config.PUBLIC_URL, subIsPatient: config.JWT_SUB_IS_PATIENT }))
  })
}, { name: 'auth' })

async function verify (request: FastifyRequest): Promise<unknown> {
  if (request.headers.authorization === undefined) throw new ServiceError('UNAUTHORIZED')
  try {
    return await request.jwtVerify()
  } catch (cause) {
    // With a secret at hand nothing but the token itself can be at fault. What exactly is for the log, not for a forger; the
    // message stays out of it, for it may quote the token.
    request.log.info({ reason: cause instanceof Error && 'code' in cause ? cause.code : undefined }, 'token refused')
    throw new ServiceError('UNAUTHORIZED', 'The bearer token is malformed, expired, not yet valid or wrongly signed', { cause })
  }
}
