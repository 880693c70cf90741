import { ServiceError } from '@fhir-bulk-export/core/errors'

/** http://hl7.org/fhir/R4/datatypes.html#instant */
const instant = /^((?!0000)\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00)$/

const toleratedFutureMs = 60_000

/**
 * Digits beyond milliseconds are cut off, and a leap second counts as the second before it: the instant gets earlier and the
 * export may hold more, never less.
 * @throws ServiceError INVALID_PARAMETER
 */
export function parseSince (value: string, now: Date): Date {
  const since = toDate('_since', readInstant('_since', value))
  if (since.getTime() > now.getTime() + toleratedFutureMs) throw new ServiceError('INVALID_PARAMETER', '_since lies in the future')
  return since
}

/**
 * What `_since` cuts off is rounded up here, for the same reason.
 * @throws ServiceError INVALID_PARAMETER
 */
export function parseUntil (value: string, since: Date | null): Date {
  const text = readInstant('_until', value)
  const cutMs = text.includes(':60') ? 1_000 : /\.\d{3}\d*[1-9]/.test(text) ? 1 : 0
  const until = new Date(toDate('_until', text).getTime() + cutMs)
  if (since !== null && until <= since) throw new ServiceError('INVALID_PARAMETER', '_until must be later than _since')
  return until
}

function readInstant (name: string, value: string): string {
  // The zone's `+`, if it was not encoded, arrives as a space.
  const text = value.replace(/ (?=\d\d:\d\d$)/, '+')
  const [, year, month, day] = instant.exec(text) ?? []
  if (year === undefined || Number(day) > daysIn(Number(year), Number(month))) {
    throw new ServiceError('INVALID_PARAMETER', `${name} must be an instant with seconds and a zone, such as 2026-02-22T15:30:00Z`)
  }
  return text
}

/** In the zone it is written in, a year may be one that UTC does not call 0001 to 9999. */
function toDate (name: string, text: string): Date {
  const date = new Date(text.replace(':60', ':59'))
  if (date < firstInstant || date > lastInstant) throw new ServiceError('INVALID_PARAMETER', `${name} must lie in the years 0001 to 9999 UTC`)
  return date
}

const firstInstant = new Date('0001-01-01T00:00:00Z')
const lastInstant = new Date('9999-12-31T23:59:58Z')

function daysIn (year: number, month: number): number {
  const lastDay = new Date(0)
  lastDay.setUTCFullYear(year, month, 0) // Date.UTC would take the years 0–99 for 1900–1999
  return lastDay.getUTCDate()
}
