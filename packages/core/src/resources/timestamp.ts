const secondsPerDay = 86_400
const epochDays = 10_957 // from 1970-01-01 to 2000-01-01
const [firstDay, lastDay] = [-719_162, 2_932_896] // 0001-01-01 and 9999-12-31, from 1970-01-01
const [colon, dot, letterT, letterZ, zero] = [0x3a, 0x2e, 0x54, 0x5a, 0x30]

/**
 * Writes PostgreSQL's timestamptz in binary (µs since 2000-01-01, a 64-bit integer) as a FHIR instant in UTC, with as many digits of a
 * second as it needs: `2024-01-31T09:30:00.123Z`. Takes at most 27 bytes of `target` from `to` on, and gives back where they end; -1
 * outside of the years 0001 to 9999, which FHIR cannot write (infinity among them).
 */
export function writeInstant (bytes: Buffer, at: number, target: Buffer, to: number): number {
  // 2^32 is 4294 · 10^6 + 967296: so no number here grows beyond what a double holds exactly.
  const high = bytes.readInt32BE(at)
  const rest = high * 967_296 + bytes.readUInt32BE(at + 4)
  const restSeconds = Math.floor(rest / 1_000_000)
  const seconds = high * 4_294 + restSeconds
  const day = Math.floor(seconds / secondsPerDay)
  if (day + epochDays < firstDay || day + epochDays > lastDay) return -1
  const date = toDate(day + epochDays)
  for (let i = 0; i < date.length; i++) target[to++] = date[i]!
  const second = seconds - day * secondsPerDay
  to = putDigits(target, to, letterT, Math.floor(second / 3_600))
  to = putDigits(target, to, colon, Math.floor(second / 60) % 60)
  to = putDigits(target, to, colon, second % 60)
  let micros = rest - restSeconds * 1_000_000
  if (micros > 0) target[to++] = dot
  for (let unit = 100_000; micros > 0; unit /= 10) {
    target[to++] = zero + Math.floor(micros / unit)
    micros %= unit
  }
  target[to++] = letterZ
  return to
}

/** Rows change on few days, as a rule. */
const dates = new Map<number, Buffer>()
const maxDates = 50_000

/** `2024-01-31`; `day` from 1970-01-01. */
function toDate (day: number): Buffer {
  let date = dates.get(day)
  if (date === undefined) {
    if (dates.size === maxDates) dates.clear()
    date = Buffer.from(new Date(day * secondsPerDay * 1_000).toISOString().slice(0, 10))
    dates.set(day, date)
  }
  return date
}

/** Two of them. */
function putDigits (target: Buffer, to: number, before: number, number: number): number {
  target[to++] = before
  target[to++] = zero + Math.floor(number / 10)
  target[to++] = zero + number % 10
  return to
}
