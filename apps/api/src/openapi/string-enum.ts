import { Type, type TUnsafe } from '@sinclair/typebox'

/** One of these strings, as generators of clients understand it best: `enum` and not a union of constants. */
export function stringEnum<T extends string> (values: readonly T[], options: { title?: string, description?: string } = {}): TUnsafe<T> {
  return Type.Unsafe<T>({ ...options, type: 'string', enum: [...values] })
}
