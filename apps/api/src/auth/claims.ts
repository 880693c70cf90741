import { Type, type Static } from '@sinclair/typebox'

const anything = Type.Optional(Type.Unknown())
/** A list with a member that is no text is refused: without that member, the token might count as one without scopes. */
const scopes = Type.Optional(Type.Union([Type.String(), Type.Array(Type.String()), Type.Null()]))

/** Without NUL, which PostgreSQL does not store: one such name would fail the INSERT of all counted refusals. */
const name = Type.Optional(Type.String({ pattern: '^[^\\u0000]*$' }))

/** The claims that this service reads. `unknown` ones are checked where access is decided. */
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
