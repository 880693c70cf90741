import pg from 'pg'
import t from 'tap'
import { createTestDatabase } from '../src/testing.ts'

async function query (url: string, sql: string): Promise<Array<Record<string, unknown>>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

t.test('a test database is a clone of the migrated template, of its own', async t => {
  const [one, two] = await Promise.all([createTestDatabase(t), createTestDatabase(t)])
  await query(one, 'INSERT INTO source.patients (id) VALUES (\'one\')')
  t.strictSame(await query(two, 'SELECT id FROM source.patients'), [])
  t.strictSame(await query(two, 'SELECT id FROM bulk_export_jobs'), [])
})

t.test('twenty at once do not disturb each other', async t => {
  const urls = await Promise.all(Array.from({ length: 20 }, async () => await createTestDatabase(t)))
  t.equal(new Set(urls).size, 20)
})

t.test('it is dropped at the end, open connections or not', async t => {
  let url = ''
  const client = await t.test('a test that leaves a connection open', async t => {
    url = await createTestDatabase(t)
  }).then(() => new pg.Client({ connectionString: url }))
  await t.rejects(client.connect(), { code: '3D000' }, 'invalid_catalog_name')

  const ends: Array<() => Promise<void>> = []
  url = await createTestDatabase({ teardown: end => { ends.push(end) } })
  const open = new pg.Client({ connectionString: url })
  open.on('error', () => {})
  await open.connect()
  for (const end of ends) await end()
  await t.rejects(new pg.Client({ connectionString: url }).connect(), { code: '3D000' })
})

t.test('without the servers the error says how to get them', async t => {
  const url = process.env.TEST_DATABASE_URL
  t.teardown(() => { process.env.TEST_DATABASE_URL = url })
  delete process.env.TEST_DATABASE_URL
  await t.rejects(createTestDatabase(t), { message: /make test/ })
})
