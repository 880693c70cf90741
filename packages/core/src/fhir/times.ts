import { ElementError } from './element-error.ts'

/**
 * Times as FHIR writes them (https://hl7.org/fhir/R4/datatypes.html#dateTime) from FHIR's spelling or PostgreSQL's
 * (`2024-01-31 09:30:00.123+00`): partial dates as they are, anything with a time in UTC with the digits it came with.
 */
const datePattern = /^\d{4}(?:-\d\d(?:-\d\d)?)?$/
const timePattern = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)$/

/** `2019`, `2019-05` or `2019-05-31`. Throws ElementError. */
export function toDate (text: string): string {
  if (text.length > 10 || !isDate(text)) throw new ElementError('must be a date: YYYY, YYYY-MM or YYYY-MM-DD')
  return text
}

/** A date, or a time in UTC. Throws ElementError. */
export function toDateTime (text: string): string {
  if (text.length > 10) return toTime(text, 'must be a dateTime: a date, or a time with seconds and zone')
  if (!isDate(text)) throw new ElementError('must be a dateTime: a date, or a time with seconds and zone')
  return text
}

/** A time in UTC. Throws ElementError, also for PostgreSQL's `infinity` and years that FHIR cannot write. */
export function toInstant (text: string): string {
  return toTime(text, 'must be an instant: a time with seconds and zone, in the years 0001 to 9999')
}

/** The first millisecond of a dateTime that `toDateTime` gave; partial dates are taken in UTC. NaN in a leap second. */
export function startOf (dateTime: string): number {
  return Date.parse(dateTime)
}

/** The last millisecond of a dateTime that `toDateTime` gave: a Period's end includes all of its day, month or year. */
export function endOf (dateTime: string): number {
  const end = new Date(dateTime)
  if (dateTime.length === 4) end.setUTCFullYear(end.getUTCFullYear() + 1)
  else if (dateTime.length === 7) end.setUTCMonth(end.getUTCMonth() + 1)
  else if (dateTime.length === 10) end.setUTCDate(end.getUTCDate() + 1)
  else return end.getTime()
  return end.getTime() - 1
}

function isDate (text: string): boolean {
  return datePattern.test(text) &&
    isCalendarDay(yearOf(text), text.length > 4 ? twoDigits(text, 5) : 1, text.length > 7 ? twoDigits(text, 8) : 1)
}

function toTime (text: string, problem: string): string {
  const valid = timePattern.test(text) && isCalendarDay(yearOf(text), twoDigits(text, 5), twoDigits(text, 8)) &&
    isClockTime(twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17))
  if (!valid) throw new ElementError(problem)
  if (text.endsWith('Z') && text[10] === 'T') return text

  const zone = text.endsWith('Z') ? text.length - 1 : Math.max(text.indexOf('+', 19), text.indexOf('-', 19))
  const offset = toMinutes(text.slice(zone + 1))
  if (offset === undefined) throw new ElementError(problem)
  if (offset === 0) return `${text.slice(0, 10)}T${text.slice(11, zone)}Z` // nearly always: cut, not calculated
  const shifted = new Date(0)
  shifted.setUTCFullYear(yearOf(text), twoDigits(text, 5) - 1, twoDigits(text, 8)) // Date.UTC takes the years 0 to 99 for 1900 to 1999
  shifted.setUTCHours(twoDigits(text, 11), twoDigits(text, 14) + (text[zone] === '-' ? offset : -offset))
  const moved = shifted.toISOString()
  if (moved.length > 24 || moved.startsWith('0000')) throw new ElementError(problem)
  return `${moved.slice(0, 17)}${text.slice(17, zone)}Z`
}

/** `04`, `0430`, `04:30`, or nothing for Z; undefined beyond 14 hours. */
function toMinutes (offset: string): number | undefined {
  if (offset === '') return 0
  const minutes = offset.length > 2 ? twoDigits(offset, offset.length - 2) : 0
  const total = twoDigits(offset, 0) * 60 + minutes
  return minutes > 59 || total > 14 * 60 ? undefined : total
}

function yearOf (text: string): number {
  return twoDigits(text, 0) * 100 + twoDigits(text, 2)
}

function twoDigits (text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528 // '0' is 48
}

function isCalendarDay (year: number, month: number, day: number): boolean {
  return year > 0 && month > 0 && month < 13 && day > 0 && (day < 29 || day <= daysIn(year, month))
}

function daysIn (year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** 60 is a leap second. */
function isClockTime (hour: number, minute: number, second: number): boolean {
  return hour < 24 && minute < 60 && second < 61
}
