import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { KeySet } from '../db/index.ts'
import { ServiceError } from '../errors.ts'

const maxKeys = 20
/** RFC 7518, 3.3. */
export const minRsaBits = 2048

const text = Type.String({ minLength: 1, maxLength: 2_048 })
const common = { kid: Type.String({ minLength: 1, maxLength: 256 }), use: Type.Optional(Type.Literal('sig')) }
/** The keys of RS384 and ES384 (SMART App Launch 2.2, client-confidential-asymmetric). */
const publicKey = Type.Union([
  Type.Object({ ...common, kty: Type.Literal('RSA'), alg: Type.Optional(Type.Literal('RS384')), n: text, e: text }),
  Type.Object({
    ...common, kty: Type.Literal('EC'), alg: Type.Optional(Type.Literal('ES384')), crv: Type.Literal('P-384'), x: text,
    y: text
  }),
])
const keySet = Type.Object({ keys: Type.Array(publicKey, { minItems: 1, maxItems: maxKeys }) })
const withPrivateMembers = Type.Object({
  keys: Type.Array(Type.Unknown(),
    { contains: Type.Union(['d', 'p', 'q', 'k'].map((name) => Type.Object({ [name]: Type.Unknown() }))) })
})

/**
 * A client's JWK Set as the database keeps it: the members that check a signature, and no other.
 * @throws ServiceError INVALID_PARAMETER; the text never quotes the file.
 */
export function parseKeySet (json: string): KeySet {
  const given = parseJson(json)
  if (Value.Check(withPrivateMembers, given)) {
    throw invalid('it holds private or secret keys, which must never leave the client: take the public ones alone')
  }
  if (!Value.Check(keySet, given)) {
    throw invalid(`expected {"keys":[…]} with 1 to ${maxKeys} public keys, RSA (RS384) or EC of P-384 (ES384), each with a kid`)
  }
  if (new Set(given.keys.map(({ kid }) => kid)).size < given.keys.length) throw invalid('two keys have the same kid')
  const { keys } = Value.Clean(keySet, given) as KeySet
  for (const key of keys) assertUsable(key)
  return { keys }
}

function assertUsable (key: JsonWebKey): void {
  const bits = readBits(key)
  if (bits === undefined) throw invalid('a key of it is malformed')
  if (bits < minRsaBits) throw invalid(`an RSA key has ${bits} bits, and ${minRsaBits} are the least`)
}

/** Of an RSA key's modulus; any other counts as long enough. Undefined: it is no key. */
function readBits (key: JsonWebKey): number | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' }).asymmetricKeyDetails?.modulusLength ?? minRsaBits
  } catch {
    return undefined
  }
}

function parseJson (json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw invalid('it is not JSON')
  }
}

function invalid (problem: string): ServiceError {
  return new ServiceError('INVALID_PARAMETER', `The file is no JWK Set of a client: ${problem}`)
}
