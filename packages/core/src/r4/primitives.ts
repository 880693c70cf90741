import { copied, failed, type Cursor, type Input, type Status } from './cursor.ts'
import { Literal } from './literal.ts'
import type { Names } from './names.ts'
import { isDigit, isPlainDate, isPlainDateOrTime, isPlainDecimal, isPlainTime } from './plain.ts'

/**
 * FHIR R4's primitive datatypes (https://hl7.org/fhir/R4/datatypes.html#primitive): each copies the value at the cursor, as it is written,
 * if it is one. `\s` and `\S` in R4's patterns are XML Schema's: a no-break space is a character like any other.
 */
export type CopyPrimitive = (cursor: Cursor, codes: Names | undefined) => Status

const quote = 0x22
const backslash = 0x5c
const maxStringLength = 1024 * 1024

// What a text has in it, a bit each.
const space = 1
const noIdCharacter = 2
const noBase64Character = 4
const escape = 8
const unicodeEscape = 16
const stop = 128

const kinds = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < 0x20 || byte === quote || byte === backslash) return stop
  const character = String.fromCharCode(byte)
  const ofId = /[A-Za-z0-9.-]/.test(character) ? 0 : noIdCharacter
  const ofBase64 = /[A-Za-z0-9+/=_-]/.test(character) ? 0 : noBase64Character
  return (byte === 0x20 ? space : 0) | ofId | ofBase64
})

/** Of two bytes as one number, what either has. */
const pairKinds = Uint8Array.from({ length: 65_536 }, (_, pair) => kinds[pair & 0xff]! | kinds[pair >>> 8]!)

function failText (cursor: Cursor, problem: string): -1 {
  cursor.fail(problem)
  return -1
}

/** Copies the bytes from `at` to `end` that stand in a JSON string as they are, up to the first that does not; gives back its place. */
export function copyRun (source: Input, at: number, end: number, target: Input, to: number): number {
  const { words } = source
  for (; at + 4 <= end; at += 4, to += 4) {
    const word = words.getInt32(at, true)
    if ((pairKinds[word & 0xffff]! | pairKinds[word >>> 16]!) >= stop) break
    target.words.setInt32(to, word, true)
  }
  for (; at < end && kinds[source.bytes[at]!]! < stop; at++) target.bytes[to++] = source.bytes[at]!
  return at
}

/** Copies a JSON string. Gives back what is in it, or -1 with the cursor's problem set. */
function copyText (cursor: Cursor, problem: string): number {
  const { source, words, target, targetWords, end } = cursor
  let { at, to } = cursor
  if (source[at] !== quote || at >= end) return failText(cursor, problem)
  target[to++] = quote
  let found = 0
  for (at++; at < end; at++) {
    let kind = 0
    for (; at + 8 <= end; at += 8, to += 8) {
      const first = words.getInt32(at, true)
      const second = words.getInt32(at + 4, true)
      kind = pairKinds[first & 0xffff]! | pairKinds[first >>> 16]! | pairKinds[second & 0xffff]! | pairKinds[second >>> 16]!
      if (kind >= stop) break
      found |= kind
      targetWords.setInt32(to, first, true)
      targetWords.setInt32(to + 4, second, true)
    }
    while (at < end && (kind = kinds[source[at]!]!) < stop) {
      found |= kind
      target[to++] = source[at++]!
    }
    if (at >= end) break
    const byte = source[at]!
    if (byte === quote) break
    if (byte !== backslash) return failText(cursor, 'must not contain control characters')
    const escaped = source[at + 1]
    found |= escape | noIdCharacter | noBase64Character
    if (escaped === 0x75) found |= unicodeEscape // \u
    else if (escaped === 0x62 || escaped === 0x66) return failText(cursor, 'must not contain control characters') // \b \f
    else if (escaped === 0x6e || escaped === 0x72 || escaped === 0x74) found |= space // \n \r \t
    else if (escaped !== quote && escaped !== backslash && escaped !== 0x2f) return failText(cursor, 'must be JSON')
    target[to++] = byte
    target[to++] = source[++at]!
  }
  if (at >= end) return failText(cursor, 'must be JSON')
  if (at === cursor.at + 1) return failText(cursor, 'must not be empty')
  target[to++] = quote
  if ((found & unicodeEscape) !== 0) {
    const text = decode(source, cursor.at, at + 1)
    if (text === undefined) return failText(cursor, 'must be JSON')
    // eslint-disable-next-line no-control-regex
    if (/[\0-\x08\x0b\x0c\x0e-\x1f]/.test(text)) return failText(cursor, 'must not contain control characters')
    // PostgreSQL's json, other than its jsonb and text, can hold half of a surrogate pair.
    if (!text.isWellFormed()) return failText(cursor, 'must be well-formed Unicode')
    if (/[ \t\r\n]/.test(text)) found |= space
  }
  cursor.at = at + 1
  cursor.to = to
  return found
}

function decode (source: Buffer, start: number, end: number): string | undefined {
  try {
    return JSON.parse(source.toString('utf8', start, end))
  } catch {
    return undefined
  }
}

/** The text of the string that was copied from `start` on. */
function textFrom (cursor: Cursor, start: number, found: number): string {
  const { source, at } = cursor
  if ((found & escape) !== 0) return decode(source, start, at) ?? ''
  return source.toString('utf8', start + 1, at - 1)
}

function copyString (cursor: Cursor): Status {
  const start = cursor.at
  const found = copyText(cursor, 'must be a string')
  if (found < 0) return failed
  if (cursor.at - start <= maxStringLength || textFrom(cursor, start, found).length <= maxStringLength) return copied
  return cursor.fail('must not be longer than 1 MB')
}

function copyLongString (cursor: Cursor): Status {
  return copyText(cursor, 'must be a string') < 0 ? failed : copied
}

function copyUri (cursor: Cursor): Status {
  const found = copyText(cursor, 'must be a string')
  if (found < 0) return failed
  return (found & space) === 0 ? copied : cursor.fail('must be a URI: without blanks')
}

const codePattern = /^[^ \t\r\n]+(?:[ \t\r\n][^ \t\r\n]+)*$/

function copyCode (cursor: Cursor, codes: Names | undefined): Status {
  const start = cursor.at
  const found = copyText(cursor, 'must be a string')
  if (found < 0) return failed
  if ((found & space) !== 0 && !codePattern.test(textFrom(cursor, start, found))) {
    return cursor.fail('must be a code: without needless blanks')
  }
  if (codes !== undefined && !isAmong(codes, cursor, start, found)) return cursor.fail(toCodeProblem(codes))
  return copied
}

function isAmong (codes: Names, cursor: Cursor, start: number, found: number): boolean {
  if ((found & escape) === 0) return codes.find(cursor.source, start + 1, cursor.at - 1) !== -1
  const code = Buffer.from(textFrom(cursor, start, found))
  return codes.find(code, 0, code.length) !== -1
}

function toCodeProblem ({ all }: Names): string {
  return all.length > 12 ? 'must be a code of its value set' : `must be one of ${all.join(', ')}`
}

function copyId (cursor: Cursor): Status {
  const start = cursor.at
  const found = copyText(cursor, 'must be a string')
  if (found < 0) return failed
  const isId = (found & escape) === 0
    ? (found & noIdCharacter) === 0 && cursor.at - start - 2 <= 64
    : /^[A-Za-z0-9.-]{1,64}$/.test(textFrom(cursor, start, found))
  return isId ? copied : cursor.fail('must be 1 to 64 letters, digits, "-" and "."')
}

/** R4's pattern takes `=` at any place, and HL7's validator the alphabet of URLs, too. */
function copyBase64 (cursor: Cursor): Status {
  const start = cursor.at
  const found = copyText(cursor, 'must be a string')
  if (found < 0) return failed
  if ((found & noBase64Character) === 0 && (cursor.at - start - 2) % 4 === 0) return copied
  return isInGroups(cursor, start, found) ? copied : cursor.fail('must be base64')
}

/** Groups of four, blanks anywhere between characters. */
function isInGroups ({ source, at }: Cursor, start: number, found: number): boolean {
  const text = (found & escape) === 0 ? source.toString('latin1', start + 1, at - 1) : decode(source, start, at) ?? ''
  const characters = text.replace(/[ \t\r\n]+/g, '')
  return characters !== '' && characters.length % 4 === 0 && /^[A-Za-z0-9+/=_-]+$/.test(characters)
}

type IsPossible = (text: string) => boolean
type IsPlain = (source: Buffer, start: number, length: number) => boolean

/** A string that a pattern describes; `isPossible` looks at what the pattern cannot see. Bytes that `isPlain` knows need neither. */
function matching (pattern: RegExp, problem: string, isPossible?: IsPossible, isPlain?: IsPlain): CopyPrimitive {
  return function copyMatching (cursor) {
    const start = cursor.at
    const found = copyText(cursor, problem)
    if (found < 0) return failed
    if (isPlain?.(cursor.source, start + 1, cursor.at - start - 2) === true) return copied
    const text = textFrom(cursor, start, found)
    return pattern.test(text) && isPossible?.(text) !== false ? copied : cursor.fail(problem)
  }
}

const day = String.raw`(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])`
const clock = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?`
const zone = String.raw`(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))`
const partialDate = String.raw`(?!0000)\d{4}(?:-(?:0[1-9]|1[0-2]))?`

/** No 31 April: a day is looked at only where there is one. */
function isCalendarDay (text: string): boolean {
  const isUpTo28th = text.charCodeAt(8) < 0x32 || (text.charCodeAt(8) === 0x32 && text.charCodeAt(9) < 0x39)
  if (text.length < 10 || isUpTo28th) return true
  const date = new Date(`${text.slice(0, 10)}T00:00:00Z`)
  return date.getUTCDate() === Number(text.slice(8, 10))
}

/** A number as JSON writes it, which a pattern describes. */
function numeric (pattern: RegExp, problem: string, isPossible?: (text: string) => boolean, mayHavePoint = false): CopyPrimitive {
  return function copyNumber (cursor) {
    const { source, target, at, end } = cursor
    let { to } = cursor
    let i = at
    let digitsEnd = -1
    for (; i < end; i++) {
      const byte = source[i]!
      if (!isDigit(byte)) {
        if (digitsEnd === -1) digitsEnd = i
        if (byte !== 0x2d && byte !== 0x2e && byte !== 0x2b && byte !== 0x65 && byte !== 0x45) break
      }
      target[to++] = byte
    }
    // Every kind takes 1 to 999999999.
    const isPlain = digitsEnd === i && i > at && i - at <= 9 && source[at] !== 0x30
    if (!isPlain && !(mayHavePoint && isPlainDecimal(source, at, digitsEnd, i))) {
      const text = source.toString('latin1', at, i)
      if (!pattern.test(text) || isPossible?.(text) === false) return cursor.fail(problem)
    }
    cursor.at = i
    cursor.to = to
    return copied
  }
}

function integerFrom (least: number): CopyPrimitive {
  const isInRange = (text: string) => Number(text) >= least && Number(text) <= 2_147_483_647
  return numeric(/^(?:0|-?[1-9]\d{0,9})$/, `must be an integer from ${least} to 2147483647`, isInRange)
}

export const [yes, no] = [new Literal(Buffer.from('true')), new Literal(Buffer.from('false'))]

function copyBoolean (cursor: Cursor): Status {
  const word = yes.take(cursor) ? yes : no.take(cursor) ? no : undefined
  if (word === undefined) return cursor.fail('must be true or false')
  word.put(cursor)
  return copied
}

export const primitives: Readonly<Record<string, CopyPrimitive>> = {
  base64Binary: copyBase64,
  boolean: copyBoolean,
  canonical: copyUri,
  code: copyCode,
  date: matching(new RegExp(`^(?:${partialDate}|${day})$`), 'must be a date: YYYY, YYYY-MM or YYYY-MM-DD', isCalendarDay, isPlainDate),
  dateTime: matching(new RegExp(`^(?:${partialDate}|${day}(?:T${clock}${zone})?)$`),
    'must be a dateTime: a date, or a time with seconds and zone', isCalendarDay, isPlainDateOrTime),
  decimal: numeric(/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/, 'must be a decimal', undefined, true),
  id: copyId,
  instant: matching(new RegExp(`^${day}T${clock}${zone}$`),
    'must be an instant: a time with seconds and zone, in the years 0001 to 9999', isCalendarDay, isPlainTime),
  integer: integerFrom(-2_147_483_648),
  markdown: copyLongString,
  oid: matching(/^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$/, 'must be an OID: urn:oid:…'),
  positiveInt: integerFrom(1),
  string: copyString,
  time: matching(new RegExp(`^${clock}$`), 'must be a time: hh:mm:ss'),
  unsignedInt: integerFrom(0),
  uri: copyUri,
  url: copyUri,
  uuid: matching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'must be a UUID: urn:uuid:…'),
  xhtml: copyLongString,
}
