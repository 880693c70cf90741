import { fc } from '@fhir-bulk-export/core/testing'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { openPool } from '@fhir-bulk-export/core/testing/database'
import t from 'tap'
import { readRows, toText } from '../../src/files/rows.ts'
import { copyOut } from '../../src/source/copy-out.ts'
import { inChunks, toCopyStream, toMessage, type Fields } from '../fixtures/copy-stream.ts'

async function collect (chunks: AsyncIterable<Buffer>, fields: number): Promise<Fields[]> {
  const found: Fields[] = []
  for await (const rows of readRows(chunks, fields)) {
    while (rows.next()) {
      const { bytes, starts, ends } = rows.row
      found.push(Array.from(starts, (start, i) => start === -1 ? null : Buffer.from(bytes.subarray(start, ends[i]))))
    }
  }
  return found
}

const field = fc.oneof(fc.constant(null), fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 0, max: 600 }).map((size) => Buffer.alloc(size, 'x')))
const table = fc.integer({ min: 1, max: 5 }).chain((width) => fc.tuple(fc.constant(width),
  fc.array(fc.array(field, { minLength: width, maxLength: width }), { maxLength: 20 })))

t.test('rows come out as they went in, wherever the stream is cut', async (t) => {
  await fc.assert(fc.asyncProperty(table, fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }), async ([width,
    rows], sizes) => {
    const found = await collect(inChunks(toCopyStream(rows), (n) => sizes[n % sizes.length] ?? 1), width)
    t.strictSame(found.map((row) => row.map((value) => value?.toString('hex') ?? null)),
      rows.map((row) => row.map((value) => value?.toString('hex') ?? null)))
  }), { numRuns: Number(process.env.FUZZ_RUNS ?? 300) })
})

t.test('a row larger than any buffer is put together from its chunks', async (t) => {
  const large = Buffer.alloc(3_000_000, 'abcdefg')
  const rows: Fields[] = [[Buffer.from('1'), large], [Buffer.from('2'), null], [large, large], [Buffer.from('3'), Buffer.from('x')]]
  const found = await collect(inChunks(toCopyStream(rows), () => 65_536), 2)
  t.ok(found.length === rows.length &&
    found.every((row, i) => row.every((value, k) => value === null ? rows[i]?.[k] === null : rows[i]?.[k]?.equals(value))))
})

t.test('a stream that ends too early, or is none, is an error, not fewer rows', async (t) => {
  const rows: Fields[] = [[Buffer.from('abc')], [null], [Buffer.from('d')]]
  const whole = toCopyStream(rows)
  for (let size = 0; size < whole.length; size++) {
    await t.rejects(collect(inChunks(whole.subarray(0, size), () => 7), 1), /ended in the middle/, `${size} bytes`)
  }
  await t.rejects(collect(inChunks(whole, () => 64), 2), /rows of 1 fields, not of 2/)
  await t.rejects(collect(inChunks(toMessage(Buffer.from('a\tb\n'.repeat(20))), () => 64), 2), /not in binary format/)
})

t.test('what PostgreSQL writes is read back as it was stored', async (t) => {
  const pool = openPool(t, await createTestDatabase(t))
  const values = ['plain', '', '\\N', 'tab\tnewline\n\r\b\f\v', 'ünïcödé 😀', 'x'.repeat(200_000),
    ...Array.from({ length: 127 }, (_, i) => String.fromCharCode(i + 1)), null]
  await pool.query('CREATE TABLE stored (n serial, value text)')
  await pool.query('INSERT INTO stored (value) SELECT value FROM unnest($1::text[]) WITH ORDINALITY AS v (value, n) ORDER BY n', [values])
  const client = await pool.connect()
  const found: Array<string | null> = []
  for await (const rows of readRows(copyOut(client, 'COPY (SELECT value, n FROM stored ORDER BY n) TO STDOUT (FORMAT binary)'), 2)) {
    while (rows.next()) found.push(toText(rows.row, 0) ?? null)
  }
  t.same(found, values)
  const none: unknown[] = []
  for await (const rows of readRows(copyOut(client, 'COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT binary)'),
    1)) while (rows.next()) none.push(rows.row)
  t.same(none, [])
  client.release()
})
