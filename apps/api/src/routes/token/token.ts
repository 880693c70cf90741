import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { recordAudit } from '@fhir-bulk-export/core/audit'
import type { Database } from '@fhir-bulk-export/core/db'
import { Type, type Static } from '@sinclair/typebox'
import type { Kysely } from 'kysely'
import { accessTokenSeconds, signAccessToken, toTokenUrl } from '../../auth/access-token.ts'
import { authenticateClient } from '../../auth/authenticate-client.ts'
import { createClientKeys } from '../../auth/client-keys.ts'
import { grantScopes } from '../../auth/grant-scopes.ts'
import { readAssertion } from '../../auth/read-assertion.ts'
import { acceptForms, readTokenRequest } from './token-request.ts'
import { createTokenErrorSender, noStore } from './token-errors.ts'
import { createTokenLimits } from '../../limits/token-requests.ts'

interface TokenOptions {
  db: Kysely<Database>
  publicUrl: string
  secret: string
  /** Clients may have their keys in our own network. */
  mayBePrivate: boolean
}

/** Room for an assertion, and for all of R4's types as scopes of both versions. */
const maxBodyBytes = 32 * 1024

const form = Type.Object(Object.fromEntries(['grant_type', 'scope', 'client_assertion_type', 'client_assertion', 'client_id']
  .map((name) => [name, Type.Optional(Type.String())])))
const granted = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal('bearer'),
  expires_in: Type.Integer(),
  scope: Type.String(),
}, { title: 'AccessToken' })
const tokenError = Type.Object({ error: Type.String(), error_description: Type.String() }, { title: 'TokenError' })
const refusal = { description: 'RFC 6749, 5.2', content: { 'application/json': { schema: tokenError } } }

/** SMART App Launch 2.2, Backend Services: a registered client's signed assertion for an access token of a few minutes. */
export const token: FastifyPluginAsyncTypebox<TokenOptions> = async function token (app, { db, publicUrl, secret, mayBePrivate }) {
  const tokenUrl = toTokenUrl(publicUrl)
  const keys = await createClientKeys({ mayBePrivate })
  const limits = createTokenLimits()
  app.setErrorHandler(createTokenErrorSender())
  acceptForms(app)

  app.post('/auth/token', {
    bodyLimit: maxBodyBytes,
    onRequest: async function limitAddress ({ ip }) { limits.takeOfAddress(ip) },
    schema: {
      tags: ['Discovery'],
      operationId: 'requestToken',
      summary: 'An access token for a registered client (SMART Backend Services)',
      security: [],
      consumes: ['application/x-www-form-urlencoded'],
      body: form,
      response: { 200: { description: 'The token', content: { 'application/json': { schema: granted } } }, '4XX': refusal, '5XX': refusal },
    },
    handler: async function grantToken (request, reply) {
      const asked = readTokenRequest(request.body)
      const assertion = readAssertion(asked.assertion, { tokenUrl, nowSeconds: Date.now() / 1_000, clientId: asked.clientId })
      limits.takeOfClient(request.ip, assertion.claims.iss)
      const client = await authenticateClient({ db, keys }, asked.assertion, assertion)
      const scope = grantScopes(asked.scope, client.scopes)
      const answer: Static<typeof granted> = {
        access_token: await signAccessToken({ publicUrl, secret, clientId: client.id, scope }),
        token_type: 'bearer',
        expires_in: accessTokenSeconds,
        scope,
      }
      await recordAudit(db, [{
        event: 'token-issued', outcome: 'success', process: 'api', client_id: client.id, address: request.ip, request_id: request.id,
        detail: scope,
      }])
      request.log.info({ clientId: client.id, scope }, 'token granted')
      return await reply.headers(noStore).type('application/json').send(answer)
    },
  })
}
