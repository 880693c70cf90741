import { Type, type TSchema } from '@sinclair/typebox'

type Headers = Record<string, TSchema>

/** A response of one media type, for a route's schema. */
export function toAnswer<M extends string, S extends TSchema> (description: string, mediaType: M, schema: S, headers: Headers = {}) {
  const content = { [mediaType]: { schema } } as { [K in M]: { schema: S } } // TypeScript takes a computed key for any string
  return { description, headers, content }
}

/** A response without a body. */
export function toEmptyAnswer (description: string, headers: Headers = {}) {
  return Type.Unsafe<undefined>({ type: 'null', description, headers })
}
