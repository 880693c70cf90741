import { ServiceError } from '@fhir-bulk-export/core/errors'

/** http://hl7.org/fhir/R4/datatypes.html#instant */
const date = /((?!0000)\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])/.source
const zone = /(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)/.source
const instant = new RegExp(`^(${date}T(?:[01]\\d|2[0-3]):[0-5]\\d):([0-5]\\d|60)(?:\\.(\\d+))?${zone}$`)

const toleratedFutureMs = 60_000
const firstSecond = Date.parse('0001-01-01T00:00:00Z') / 1_000
const lastSecond = Date.parse('9999-12-31T23:59:58Z') / 1_000

/**
 * Digits beyond microseconds are cut off, and a leap second counts as the second before it: with the earlier instant the export may hold
 * more, never less.
 * @returns the instant in UTC, with six digits of a second. Such texts sort as their instants.
 * @throws ServiceError INVALID_PARAMETER
 */
export function parseSince (value: string, now: Date): string {
  const { second, micros, isLeapSecond } = readInstant('_since', value)
  const since = toText('_since', isLeapSecond ? second - 1 : second, micros)
  if (Date.parse(since) > now.getTime() + toleratedFutureMs) throw new ServiceError('INVALID_PARAMETER', '_since lies in the future')
  return since
}

/**
 * Digits beyond microseconds are rounded up, for the same reason.
 * @returns as parseSince
 * @throws ServiceError INVALID_PARAMETER
 */
export function parseUntil (value: string, since: string | undefined): string {
  const { second, micros, isCut } = readInstant('_until', value)
  const until = micros === 999_999 && isCut ? toText('_until', second + 1, 0) : toText('_until', second, isCut ? micros + 1 : micros)
  if (since !== undefined && until <= since) throw new ServiceError('INVALID_PARAMETER', '_until must be later than _since')
  return until
}

/** `second`: since 1970; for a leap second the one after it. `isCut`: there are more digits than those of microseconds. */
interface Instant { second: number, micros: number, isCut: boolean, isLeapSecond: boolean }

function readInstant (name: string, value: string): Instant {
  // The zone's `+`, if it was not encoded, arrives as a space.
  const [, minute, year, month, day, second, fraction = '', zone] = instant.exec(value.replace(/ (?=\d\d:\d\d$)/, '+')) ?? []
  if (year === undefined || Number(day) > daysIn(Number(year), Number(month))) {
    throw new ServiceError('INVALID_PARAMETER', `${name} must be an instant with seconds and a zone, such as 2026-02-22T15:30:00Z`)
  }
  return {
    second: Date.parse(`${minute}:00${zone}`) / 1_000 + Number(second),
    micros: Number(fraction.slice(0, 6).padEnd(6, '0')),
    isCut: /[1-9]/.test(fraction.slice(6)),
    isLeapSecond: second === '60',
  }
}

/** The zone may move the year out of 0001 to 9999 UTC. */
function toText (name: string, second: number, micros: number): string {
  if (second < firstSecond || second > lastSecond) {
    throw new ServiceError('INVALID_PARAMETER', `${name} must lie in the years 0001 to 9999 UTC`)
  }
  return `${new Date(second * 1_000).toISOString().slice(0, 19)}.${String(micros).padStart(6, '0')}Z`
}

function daysIn (year: number, month: number): number {
  const lastDay = new Date(0)
  lastDay.setUTCFullYear(year, month, 0) // Date.UTC would take the years 0–99 for 1900–1999
  return lastDay.getUTCDate()
}
