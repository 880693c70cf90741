import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

const anything = Type.Optional(Type.Unknown())
/** A member that is no text must not be passed over: with all of them gone, a token would count as one without scopes. */
const scopes = Type.Optional(Type.Union([Type.String(), Type.Array(Type.String()), Type.Null()]))

/** PostgreSQL keeps no NUL: one refusal with it would keep all others from being written down. */
const name = Type.Optional(Type.String({ pattern: '^[^\\u0000]*$' }))

/** What we read of a token. Claims whose form decides about access are judged where they are read. */
export const claimsSchema = Type.Object({
  iss: name,
  sub: name,
  client_id: name,
  azp: name,
  role: anything,
  roles: anything,
  scope: scopes,
  scp: scopes,
  patient_id: anything,
  patient: anything,
  fhirUser: anything,
})

export type Claims = Static<typeof claimsSchema>
