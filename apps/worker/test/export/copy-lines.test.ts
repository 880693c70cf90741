import { createPool } from '@fhir-bulk-export/core/db'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { to as copyTo } from 'pg-copy-streams'
import t from 'tap'
import { readLines, toFields } from '../../src/export/copy-lines.ts'

async function collect (chunks: Buffer[]) {
  const lines: string[] = []
  for await (const some of readLines((async function * () { yield * chunks })())) lines.push(...some)
  return lines
}

t.test('lines come out whole, wherever the chunks are cut', async (t) => {
  const text = 'a\tä€😀\n\n\\N\nlast\n'
  const bytes = Buffer.from(text)
  for (let size = 1; size <= bytes.length; size++) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
    t.same(await collect(chunks), ['a\tä€😀', '', '\\N', 'last'], `chunks of ${size}`)
  }
})

t.test('a stream that ends within a row is an error, not a shorter row', async (t) => {
  await t.rejects(collect([Buffer.from('a\nb')]), /in the middle of a row/)
  t.same(await collect([]), [])
})

t.test('what PostgreSQL writes is read back as it was stored', async (t) => {
  const pool = createPool(await createTestDatabase(t), { applicationName: 'test', onError: () => {} })
  t.teardown(async () => { await pool.end() })
  const values = [
    'plain', '', '\\', '\\N', '\\\\N', 'tab\tnewline\nreturn\r', '\b\f\v', '\\t', 'trailing\\', 'ünïcödé 😀', '{"a":"b\\n\\"c\\""}',
    ...Array.from({ length: 127 }, (_, i) => String.fromCharCode(i + 1)), null,
  ]
  await pool.query('CREATE TABLE stored (n serial, value text)')
  await pool.query('INSERT INTO stored (value) SELECT value FROM unnest($1::text[]) WITH ORDINALITY AS v (value, n) ORDER BY n', [values])
  const client = await pool.connect()
  const lines: string[] = []
  for await (const some of readLines(client.query(copyTo('COPY (SELECT value, n FROM stored ORDER BY n) TO STDOUT')))) lines.push(...some)
  client.release()
  t.same(lines.map((line) => toFields(line)[0]), values)
})
