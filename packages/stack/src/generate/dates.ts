import type { Random } from './random.ts'

export const dayMs = 86_400_000

/** The generator's today. Fixed: the same seed must give the same bytes on every day. */
export const todayMs = Date.UTC(2026, 0, 1)

/** FHIR instant in UTC: `2024-05-01T07:30:00.123Z`. */
export function toInstant (timeMs: number): string {
  return new Date(timeMs).toISOString()
}

/** FHIR date: `2024-05-01`. */
export function toDate (timeMs: number): string {
  return toInstant(timeMs).slice(0, 10)
}

/** The year, the month or the day, as records of old cases have them. */
export function toPartialDate (timeMs: number, random: Random): string {
  return toDate(timeMs).slice(0, random.pick([4, 7, 10, 10, 10]))
}

const offsetsHours = [-5, 1, 2, 9]

/** FHIR dateTime: whole seconds, in UTC or with the offset of the place where it was written. */
export function toDateTime (timeMs: number, random: Random): string {
  if (random.chance(0.6)) return `${toInstant(timeMs).slice(0, 19)}Z`
  const hours = random.pick(offsetsHours)
  const sign = hours < 0 ? '-' : '+'
  return `${toInstant(timeMs + hours * 3_600_000).slice(0, 19)}${sign}0${Math.abs(hours)}:00`
}

export function randomTime (random: Random, fromMs: number, toMs: number): number {
  return Math.floor(fromMs + random.next() * (toMs - fromMs))
}
