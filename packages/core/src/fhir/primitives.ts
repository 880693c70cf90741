import { ElementError } from './element-error.ts'
import { absent, type Reader } from './reading.ts'
import { toDate, toDateTime, toInstant } from './times.ts'

// FHIR R4 datatypes, https://hl7.org/fhir/R4/datatypes.html#primitive. `\s` in its patterns is XML Schema's (space, tab,
// line ends), so that a no-break space in a name is a character like any other.

/* eslint-disable no-control-regex */
const controlCharacter = /[\0-\x08\x0b\x0c\x0e-\x1f]/
const notPlain = /[^\x20-\x7e]/
const notBlank = /\S/
const codePattern = /^[^\s\0-\x1f\x7f-\x9f]+(?: [^\s\0-\x1f\x7f-\x9f]+)*$/
const uriPattern = /^[^\s\0-\x1f\x7f-\x9f]+$/
/* eslint-enable no-control-regex */
const maxStringLength = 1024 * 1024
const maxInteger = 2_147_483_647

/** A primitive that JSON writes as a string: `check` gives it back, or its spelling in FHIR, or throws. */
function text (check: (value: string) => string): Reader<string> {
  return function readText (value) {
    if (typeof value !== 'string' || value === '') return absent(value, 'must be a string')
    return check(value)
  }
}

export const string = text(checkString)
export const uri = text(checkUri)
export const code = text(value => matching(codePattern, value, 'must be a code: without control characters and needless spaces'))
export const base64Binary = text(checkBase64)
export const date = text(toDate)
export const dateTime = text(toDateTime)
export const instant = text(toInstant)

/** A code from a required binding, https://hl7.org/fhir/R4/terminologies.html#required. */
export function codeOf<C extends string> (...codes: C[]): Reader<C> {
  const known = new Map<unknown, C>(codes.map(code => [code, code]))
  const problem = `must be one of ${codes.join(', ')}`
  return function readCode (value) {
    return known.get(value) ?? absent(value, problem)
  }
}

export const boolean: Reader<boolean> = function readBoolean (value) {
  return typeof value === 'boolean' ? value : absent(value, 'must be true or false')
}

export const integer = integerFrom(-maxInteger - 1)
export const unsignedInt = integerFrom(0)
export const positiveInt = integerFrom(1)

function integerFrom (least: number): Reader<number> {
  const problem = `must be an integer from ${least} to ${maxInteger}`
  return function readInteger (value) {
    if (typeof value !== 'number') return absent(value, problem)
    if (!Number.isInteger(value) || value < least || value > maxInteger) throw new ElementError(problem)
    return value
  }
}

export function checkString (value: string): string {
  if (value.length > maxStringLength) throw new ElementError('must not be longer than 1 MB')
  if (value.charCodeAt(0) > 0x20 && !notPlain.test(value)) return value // nearly always
  if (controlCharacter.test(value)) throw new ElementError('must not contain control characters')
  if (!notBlank.test(value)) throw new ElementError('must not be blank')
  // PostgreSQL's json, other than its jsonb and text, can hold half of a surrogate pair.
  if (!value.isWellFormed()) throw new ElementError('must be well-formed Unicode')
  return value
}

export function checkUri (value: string): string {
  return matching(uriPattern, value, 'must be a URI: without spaces and control characters')
}

function matching (pattern: RegExp, value: string, problem: string): string {
  if (!pattern.test(value) || !value.isWellFormed()) throw new ElementError(problem)
  return value
}

/** Decoding is four times as fast as matching, and leaves out what is foreign: the length tells. It takes base64url for base64, too. */
function checkBase64 (value: string): string {
  if (value.length % 4 === 0 && !value.includes('-') && !value.includes('_')) {
    const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0
    if (Buffer.from(value, 'base64').length === value.length / 4 * 3 - padding) return value
  }
  const compact = value.replace(/[ \t\r\n]+/g, '')
  const padding = compact.search(/[^A-Za-z0-9+/]/)
  const padded = padding === -1 || compact.slice(padding) === '=' || compact.slice(padding) === '=='
  if (compact === '' || !padded || compact.length % 4 !== 0) throw new ElementError('must be base64')
  return compact
}
