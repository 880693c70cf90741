import { FilterProblem } from './filter-problem.ts'

type DatePrefix = 'eq' | 'ne' | 'lt' | 'gt' | 'ge' | 'le'

/** `from` ≤ what is meant < `to`. Dates without a zone are taken in UTC, as they are exported. */
export interface DateRange {
  prefix: DatePrefix
  from: Date
  to: Date
  /** A date, with no time of day. */
  isDay: boolean
}

const pattern = /^(?<prefix>[a-z]{2})?(?<date>\d{4}(?:-\d\d(?:-\d\d)?)?)(?<time>T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/
const problem = 'must be a date or a time with zone, optionally after eq, ne, lt, gt, le or ge'
const minuteMs = 60_000

/** A value of a date parameter, https://hl7.org/fhir/R4/search.html#date. Throws FilterProblem. */
export function toDateRange (value: string): DateRange {
  // A space where a + belongs is one that a query string was not escaped for.
  const { prefix = 'eq', date = '', time } = pattern.exec(value.replace(' ', '+'))?.groups ?? {}
  if (date === '') throw new FilterProblem(problem)
  if (!isPrefix(prefix)) throw new FilterProblem(`does not take the prefix "${prefix}"`, true)
  const from = new Date(time === undefined ? date : `${date}${time}`)
  // Date takes the 30th of February for the 1st of March.
  const isDate = !Number.isNaN(from.getTime()) && from.getTime() > Date.parse('0001-01-01') && from <= endOfTime && !Number.isNaN(Date.parse(date)) &&
    new Date(date).toISOString().startsWith(date)
  if (!isDate) throw new FilterProblem(problem)
  return { prefix, from, to: endOf(from, date, time), isDay: time === undefined }
}

/** The last instant that FHIR and PostgreSQL write alike: nobody is later than "until 9999". */
const endOfTime = new Date('9999-12-31T23:59:59.999Z')

function endOf (from: Date, date: string, time: string | undefined): Date {
  const to = new Date(from)
  if (time !== undefined) to.setTime(from.getTime() + (/\.\d/.test(time) ? 1 : /^T\d\d:\d\d:/.test(time) ? 1_000 : minuteMs))
  else if (date.length === 4) to.setUTCFullYear(to.getUTCFullYear() + 1)
  else if (date.length === 7) to.setUTCMonth(to.getUTCMonth() + 1)
  else to.setUTCDate(to.getUTCDate() + 1)
  return to > endOfTime ? endOfTime : to
}

function isPrefix (prefix: string): prefix is DatePrefix {
  return ['eq', 'ne', 'lt', 'gt', 'ge', 'le'].includes(prefix)
}
