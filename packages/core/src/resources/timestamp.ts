const microsecondsPerDay = 86_400_000_000n
const epoch = 946_684_800_000_000n // 2000-01-01, where PostgreSQL counts from, in µs since 1970
const [infinity, minusInfinity] = [0x7fff_ffff_ffff_ffffn, -0x8000_0000_0000_0000n]
const [firstYear, lastYear] = [-62_135_596_800_000_000n, 253_402_300_800_000_000n] // 0001-01-01 and 10000-01-01

/**
 * PostgreSQL's timestamptz in binary (µs since 2000-01-01, a 64-bit integer) as a FHIR instant in UTC, with as many digits of a second as
 * it needs: `2024-01-31T09:30:00.123Z`. Undefined outside of the years 0001 to 9999, which FHIR cannot write.
 */
export function toInstant (bytes: Buffer, at: number): string | undefined {
  const value = bytes.readBigInt64BE(at)
  if (value === infinity || value === minusInfinity) return undefined
  const time = value + epoch
  if (time < firstYear || time >= lastYear) return undefined
  const inDay = ((time % microsecondsPerDay) + microsecondsPerDay) % microsecondsPerDay
  const micros = Number(inDay % 1_000_000n)
  const text = new Date(Number((time - BigInt(micros)) / 1_000n)).toISOString() // 2024-01-31T09:30:00.000Z
  if (micros === 0) return `${text.slice(0, 19)}Z`
  return `${text.slice(0, 19)}.${String(micros).padStart(6, '0').replace(/0+$/, '')}Z`
}
