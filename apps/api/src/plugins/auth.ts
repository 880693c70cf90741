import jwt from '@fastify/jwt'
import { findStanding, isClientId, type ClientStanding } from '@fhir-bulk-export/core/clients'
import type { Database } from '@fhir-bulk-export/core/db'
import { isServiceError, ServiceError } from '@fhir-bulk-export/core/errors'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Kysely } from 'kysely'
import { toOwnIssuer } from '../auth/access-token.ts'
import { toCaller, type Caller } from '../auth/caller.ts'
import { toTokenVerification } from '../auth/token-verification.ts'
import type { ApiConfig } from '../config.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Throws on routes without this plugin. */
    caller: Caller
  }
}

/** The routes of its context ask for a bearer token before anything else is read. */
export const auth = fp(async function auth (app, { config, db }: { config: ApiConfig, db: Kysely<Database> }) {
  await app.register(jwt, toTokenVerification(config))

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
    const client = await findClientOf(claims)
    callers.set(request, toCaller(claims, { client, publicUrl: config.PUBLIC_URL, subIsPatient: config.JWT_SUB_IS_PATIENT }))
  })

  /** For each request: the tokens of a client end when it is disabled. */
  async function findClientOf ({ iss, client_id: id }: Issued): Promise<ClientStanding | null> {
    if (iss !== toOwnIssuer(config.PUBLIC_URL).issuer || config.JWT_SECRET === undefined) return null
    const client = typeof id === 'string' && isClientId(id) ? await findStanding(db, id) : undefined
    if (client === undefined) throw new ServiceError('UNAUTHORIZED', 'The bearer token is of a client that may have none')
    return client
  }
}, { name: 'auth' })

interface Issued { iss?: unknown, client_id?: unknown }

async function verify (request: FastifyRequest): Promise<Issued> {
  if (request.headers.authorization === undefined) throw new ServiceError('UNAUTHORIZED')
  try {
    return await request.jwtVerify<Issued>()
  } catch (cause) {
    if (isServiceError(cause, 'UNAVAILABLE')) throw cause // the token may be good
    // The exact reason is for the log (http/refusal-reason.ts), not for a forger.
    throw new ServiceError('UNAUTHORIZED', 'The bearer token is malformed, expired, not yet valid or wrongly signed', { cause })
  }
}
