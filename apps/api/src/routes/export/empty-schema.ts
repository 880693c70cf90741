import { Type } from '@sinclair/typebox'
import type { TUnsafe } from '@sinclair/typebox'

/** A response without a body, for the documentation. */
export function toEmpty (description: string): TUnsafe<undefined> {
  return Type.Unsafe<undefined>({ type: 'null', description })
}
