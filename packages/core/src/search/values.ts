import { FilterProblem } from './filter-problem.ts'

/** Values of search parameters (https://hl7.org/fhir/R4/search.html), each as it stands between two commas, with FHIR's escapes in it. */

const prefixes = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const
export type Prefix = typeof prefixes[number]

/** `[system]|[code]`, `[code]`, `|[code]` (a system of "": there must be none) or `[system]|`. */
export interface Token { system: string | undefined, code: string | undefined }

/** What a date or number stands for: all from `from` up to, and without, `to`. */
export interface DateRange { prefix: Prefix, from: string, to: string }
/** Decimals, as text. `value` is the number itself. */
export interface NumberRange { prefix: Prefix, value: string, from: string, to: string }
export interface QuantityRange extends NumberRange { system: string | undefined, code: string | undefined }

export function unescape (text: string): string {
  return text.replace(/\\([\\|,$])/g, '$1')
}

/** The members between bars that are not escaped. */
function splitAtBars (value: string): string[] {
  return value.split(/(?<!\\)\|/).map(unescape)
}

/** @throws FilterProblem, as the other readers do. */
export function readToken (value: string): Token {
  const members = splitAtBars(value)
  if (members.length > 2) throw new FilterProblem('must be a token: code, system|code, |code or system|')
  const [first = '', second] = members
  if (second === undefined) return { system: undefined, code: first }
  if (first === '' && second === '') throw new FilterProblem('must not be empty')
  return { system: first, code: second === '' ? undefined : second }
}

function readPrefix (value: string): [Prefix, string] {
  const prefix = prefixes.find((known) => value.startsWith(known))
  return prefix === undefined ? ['eq', value] : [prefix, value.slice(prefix.length)]
}

/** A blank in the zone is a plus sign that was not escaped. */
const datePattern = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+ -]\d\d:\d\d)?)?)?)?$/
const minuteMs = 60_000

/**
 * A date, whose precision says what it stands for: `2024` is the year. Without a zone it is UTC. `ap` widens the range on both sides as R4
 * recommends: by a tenth of the time between it and now.
 */
export function readDate (value: string, now: Date): DateRange {
  const [prefix, text] = readPrefix(value)
  const match = datePattern.exec(text)
  if (match === null) throw new FilterProblem('must be a date: YYYY, YYYY-MM, YYYY-MM-DD or a time with minutes')
  const [, year = '', month, day, hour, minute, second, fraction, zone] = match
  const startOf = (y: number, m: number, d: number) => {
    const date = new Date(0)
    date.setUTCFullYear(y, m - 1, d)
    return date.getTime()
  }
  const from = startOf(Number(year), Number(month ?? 1), Number(day ?? 1))
  const isReal = Number(year) > 0 && Number(month ?? 1) >= 1 && Number(month ?? 1) <= 12 &&
    (day === undefined || new Date(from).getUTCDate() === Number(day)) && Number(day ?? 1) > 0 &&
    Number(hour ?? 0) < 24 && Number(minute ?? 0) < 60 && Number(second ?? 0) <= 60
  if (!isReal) throw new FilterProblem('must be a date that there is')
  if (hour === undefined) {
    const to = month === undefined
      ? startOf(Number(year) + 1, 1, 1)
      : day === undefined ? startOf(Number(year), Number(month) + 1, 1) : startOf(Number(year), Number(month), Number(day) + 1)
    return toRange(prefix, from, '', to, '', now)
  }
  const offset = zone === undefined || zone === 'Z'
    ? 0
    : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)))
  const start = from + (Number(hour) * 60 + Number(minute) - offset) * minuteMs + Number(second ?? 0) * 1000
  if (second === undefined) return toRange(prefix, start, '', start + minuteMs, '', now)
  if (fraction === undefined) return toRange(prefix, start, '', start + 1000, '', now)
  const next = String(BigInt(fraction) + 1n).padStart(fraction.length, '0')
  return next.length > fraction.length
    ? toRange(prefix, start, `.${fraction}`, start + 1000, '', now)
    : toRange(prefix, start, `.${fraction}`, start, `.${next}`, now)
}

function toRange (prefix: Prefix, from: number, fromFraction: string, to: number, toFraction: string, now: Date): DateRange {
  const margin = prefix === 'ap' ? Math.floor(Math.abs(now.getTime() - from) / 10) : 0
  return { prefix, from: toInstant(from - margin, fromFraction), to: toInstant(to + margin, toFraction) }
}

/** What PostgreSQL reads as a timestamptz; the years before 1 and after 9999 are all alike here. */
function toInstant (ms: number, fraction: string): string {
  const date = new Date(ms)
  const year = date.getUTCFullYear()
  if (year < 1) return '-infinity'
  if (year > 9999) return 'infinity'
  return date.toISOString().replace(/\.\d+Z$/, `${fraction}Z`)
}

const numberPattern = /^(-?)(\d{1,60})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,3}))?$/

/** A number, whose digits say what it stands for: `100` is all from 99.5 up to 100.5. */
export function readNumber (value: string): NumberRange {
  const [prefix, text] = readPrefix(value)
  const match = numberPattern.exec(text)
  if (match === null) throw new FilterProblem('must be a number')
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const shift = Number(exponent) - fraction.length // of the last digit
  const digits = BigInt(sign + whole + fraction)
  // Ten times as fine as the last digit, so that half of it is a whole number; `ap` is a tenth of the value on both sides.
  const half = prefix === 'ap' ? (digits < 0n ? -digits : digits) : 5n
  return {
    prefix, value: toDecimal(digits, shift), from: toDecimal(digits * 10n - half, shift - 1),
    to: toDecimal(digits * 10n + half, shift - 1)
  }
}

/** `digits` times ten to the power of `shift`, without an exponent. */
function toDecimal (digits: bigint, shift: number): string {
  if (shift >= 0) return String(digits * 10n ** BigInt(shift))
  const text = String(digits < 0n ? -digits : digits).padStart(1 - shift, '0')
  return `${digits < 0n ? '-' : ''}${text.slice(0, shift)}.${text.slice(shift)}`
}

/** `number`, `number|system|code` or `number||code`, which is a code or a unit of any system. */
export function readQuantity (value: string): QuantityRange {
  const members = splitAtBars(value)
  const [number = '', system, code] = members
  if (members.length === 2 || members.length > 3) throw new FilterProblem('must be a quantity: number, number|system|code or number||code')
  return { ...readNumber(number), system: system === '' ? undefined : system, code: code === '' ? undefined : code }
}
