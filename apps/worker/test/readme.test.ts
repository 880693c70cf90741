import { readFile } from 'node:fs/promises'
import { ended } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'
import { openService, readExport } from './fixtures/service.ts'

const readme = await readFile(new URL('../../../packages/core/README.md', import.meta.url), 'utf8')
const [tables = '', view = '', findBadRows = ''] = [...readme.matchAll(/```sql\n(.*?)```/gs)].map(([,
  block = '']) => block.replace('CREATE SCHEMA source;', '')).filter((block) => block.includes('hospital.'))

t.test("the README's view over a site's own tables is exported", async (t) => {
  const service = await openService(t)
  await sql.raw(`DROP TABLE source.patients; CREATE SCHEMA hospital; ${tables} ${view}`).execute(service.db)
  await sql`INSERT INTO hospital.person VALUES
    (1, 'MRN-1', 'Doe', ARRAY['Jane', 'Q.'], 'F', '1980-02-29', now(), NULL),
    (2, NULL, 'Gone', ARRAY['John'], 'M', '1970-01-01', now(), now())`.execute(service.db)
  await sql`INSERT INTO hospital.phone VALUES (1, '555-0100', now())`.execute(service.db)
  await service.startWorker({ MRN_SYSTEM: 'urn:oid:1.2.36.146.595.217.0.1' })
  const id = await service.kickOff({ types: ['Patient'] })
  t.match(await ended(service, id), { status: 'completed' })
  const files = await readExport(service, id)
  t.match(files['Patient.1.ndjson'], [{
    resourceType: 'Patient',
    id: '1',
    active: true,
    identifier: [{ system: 'urn:oid:1.2.36.146.595.217.0.1', value: 'MRN-1' }],
    name: [{ family: 'Doe', given: ['Jane', 'Q.'] }],
    telecom: [{ system: 'phone', value: '555-0100' }],
    gender: 'female',
    birthDate: '1980-02-29',
  }])
  t.equal(files['Patient.1.ndjson']?.length, 1)
})

t.test("the README's way to the rows that a view cannot compute finds these and no others", async (t) => {
  const { db, environment } = await openService(t)
  await sql.raw(`DROP TABLE source.patients; CREATE SCHEMA hospital; ${tables} ${view.replace('p.born::text', 'p.last_name::date::text')}`)
    .execute(db)
  await sql`INSERT INTO hospital.person (nr, last_name) VALUES (1, '1980-01-01'), (2, 'Doe'), (3, NULL)`.execute(db)
  const client = new pg.Client({ connectionString: environment.DATABASE_URL })
  const notices: Array<string | undefined> = []
  client.on('notice', ({ message }) => { notices.push(message) })
  await client.connect()
  t.teardown(async () => { await client.end() })
  await client.query(findBadRows)
  t.same(notices, ['2: invalid input syntax for type date: "Doe" (22007)'])
})
