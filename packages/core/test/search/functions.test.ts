import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import { openTestDatabase } from '../fixtures/database.ts'

const format = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'

t.test('dates of every precision have a beginning and an end, whatever the session says', async (t) => {
  const db = await openTestDatabase(t)
  const rangeOf = async (value: string) => await db.transaction().execute(async (trx) => {
    await sql`SELECT set_config('TimeZone', 'Pacific/Apia', true), set_config('DateStyle', 'German', true)`.execute(trx)
    const { rows: [row] } = await sql<{ from: string | null, to: string | null }>`
      SELECT to_char(fhir_bulk_export.date_from(${value}) AT TIME ZONE 'UTC', ${format})
        AS from, to_char(fhir_bulk_export.date_to(${value}) AT TIME ZONE 'UTC', ${format}) AS to`.execute(trx)
    return [row?.from, row?.to]
  })
  t.strictSame(await rangeOf('2024'), ['2024-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z'])
  t.strictSame(await rangeOf('2024-02'), ['2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z'])
  t.strictSame(await rangeOf('2024-02-29'), ['2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z'])
  t.strictSame(await rangeOf('2024-02-29T23:30:00-01:00'), ['2024-03-01T00:30:00.000Z', '2024-03-01T00:30:01.000Z'])
  t.strictSame(await rangeOf('2016-12-31T23:59:60Z'), ['2017-01-01T00:00:00.000Z', '2017-01-01T00:00:01.000Z'])
  t.strictSame(await rangeOf('2024-01-01T00:00:00.25Z'), ['2024-01-01T00:00:00.250Z', '2024-01-01T00:00:00.260Z'])
  for (const none of ['', '0000', '2023-02-29', '2024-13', '2024-01-01T10:00:00', '2024-01-01 10:00:00Z', '2024-1-1', 'infinity',
    `2024-01-01T00:00:00.${'1'.repeat(200)}Z`]) t.strictSame(await rangeOf(none), [null, null], none)
})

t.test('no text makes the functions fail', async (t) => {
  const db = await openTestDatabase(t)
  const part = fc.constantFrom('0000', '2024', '9999', '-', '02', '30', '31', '13', 'T', ':', '24', '60', '.', '1', 'Z', '+14:00', '-00:00',
    ' ', 'é', 'İ', '\u0301', '\ud83d\ude00', 'BC')
  const texts = fc.sample(fc.array(part, { maxLength: 16 }).map((parts) => parts.join('')), { numRuns: 3_000, seed: 7 })
  const { rows: [row] } = await sql<{ n: string }>`
    SELECT count(fhir_bulk_export.fold(v)) + 0 * count(fhir_bulk_export.date_from(v)) + 0 * count(fhir_bulk_export.date_to(v)) AS n
      FROM unnest(${texts}::text[]) v`.execute(db)
  t.equal(Number(row?.n), texts.length)
})
