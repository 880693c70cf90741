import { ElementError } from './element-error.ts'

/**
 * Times as FHIR writes them (https://hl7.org/fhir/R4/datatypes.html#dateTime) from FHIR's spelling or PostgreSQL's
 * (`2024-01-31 09:30:00.123+00`): partial dates as they are, anything with a time in UTC with the digits it came with.
 */
const timePattern = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(\.\d+)?([+-])(\d\d)(?::?(\d\d))?$/
const datePattern = /^\d{4}(?:-\d\d(?:-\d\d)?)?$/
const utc = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00)$/

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
  if (utc.test(text)) { // nearly always: cut, not calculated
    const valid = isCalendarDay(yearOf(text), twoDigits(text, 5), twoDigits(text, 8)) &&
      isClockTime(twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17))
    if (!valid) throw new ElementError(problem)
    if (text.endsWith('Z') && text[10] === 'T') return text
    return `${text.slice(0, 10)}T${text.slice(11, text.endsWith('Z') ? -1 : -3)}Z`
  }
  const parts = timePattern.exec(text)
  if (parts === null) throw new ElementError(problem)
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [number, number, number, number, number, number]
  const offset = Number(parts[9]) * 60 + Number(parts[10] ?? 0)
  if (!isCalendarDay(year, month, day) || !isClockTime(hour, minute, second) || offset > 14 * 60 || Number(parts[10] ?? 0) > 59) {
    throw new ElementError(problem)
  }
  const shifted = new Date(0)
  shifted.setUTCFullYear(year, month - 1, day) // Date.UTC takes the years 0 to 99 for 1900 to 1999
  shifted.setUTCHours(hour, minute - (parts[8] === '-' ? -offset : offset))
  const moved = shifted.toISOString()
  if (moved.length > 24 || moved.startsWith('0000')) throw new ElementError(problem)
  return `${moved.slice(0, 17)}${parts[6]}${parts[7] ?? ''}Z`
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
