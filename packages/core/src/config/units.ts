import { Type, type StringOptions, type TString, type TTransform } from '@sinclair/typebox'
import { keyringPattern, parseKeyring, type Keyring } from '../crypto/keyring.ts'

/**
 * Building blocks of the environment's schema. `expected` completes the sentence "NAME: expected …" that an operator
 * reads; the value itself is never printed, for it may be a secret.
 */

const milliseconds = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const bytes = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const

/** `except`: what would fit and is not taken. */
function quantity (
  units: Record<string, number>, expected: string, { except = '$', ...options }: StringOptions & { except?: string }
): TTransform<TString, number> {
  const pattern = `^(?!${except})([0-9]{1,15})(${Object.keys(units).join('|')})$`
  const grammar = new RegExp(pattern)
  return Type.Transform(Type.String({ pattern, expected, ...options }))
    .Decode((text) => {
      const [, amount = '0', unit = ''] = grammar.exec(text) ?? []
      return Number(amount) * (units[unit] ?? 1)
    })
    .Encode((value) => `${value}${Object.keys(units)[0]}`)
}

/** `500ms`, `30s`, `15m`, `24h`, `7d` → milliseconds. */
export function duration (options: StringOptions): TTransform<TString, number> {
  return quantity(milliseconds, 'a duration such as 500ms, 30s, 15m, 24h or 7d', options)
}

/** A duration of a second or more. */
export function atLeastOneSecond (options: StringOptions): TTransform<TString, number> {
  const expected = 'a duration of at least one second, such as 30s or 5m'
  return quantity(milliseconds, expected, { except: '0*[0-9]{1,3}ms$|0+[smhd]$', ...options })
}

/** `1048576`, `64MiB`, `1GiB` → bytes. */
export function byteSize (options: StringOptions): TTransform<TString, number> {
  return quantity(bytes, 'a size such as 1048576, 64MiB or 1GiB', options)
}

/** `a,b, c` → ['a', 'b', 'c']; empty members are left out. */
export function list (options: StringOptions): TTransform<TString, string[]> {
  return Type.Transform(Type.String({ expected: 'a comma-separated list', ...options }))
    .Decode((text) => text.split(',').map((member) => member.trim()).filter((member) => member !== ''))
    .Encode((members) => members.join(','))
}

/** `id:base64[,id:base64…]` → master keys, of which the first encrypts. */
export function keyring (): TTransform<TString, Keyring> {
  const expected =
    'id:key[,id:key], each key 32 bytes in base64 (openssl rand -base64 32), each id 1 to 64 of A-Z a-z 0-9 . _ - and used once'
  return Type.Transform(Type.String({ pattern: keyringPattern, expected, isSecret: true }))
    .Decode(parseKeyring)
    .Encode(() => { throw new Error('keys are not written out') })
}
