import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

const anything = Type.Optional(Type.Unknown())

/** What we read of a token. Claims whose form decides about access are judged where they are read. */
export const claimsSchema = Type.Object({
  iss: Type.Optional(Type.String()),
  sub: Type.Optional(Type.String()),
  role: anything,
  roles: anything,
  patient_id: anything,
  patient: anything,
  fhirUser: anything,
})

export type Claims = Static<typeof claimsSchema>
