import { sql } from 'kysely'
import t from 'tap'
import { readSource, toReads } from '../../src/source/index.ts'
import { openSourceDatabase } from '../fixtures/source-database.ts'

t.test('what API and worker read follows what the source has', async t => {
  const { db } = await openSourceDatabase(t)
  const read = async () => toReads(await readSource(db))
  t.strictSame((await read()).api, [{ relation: 'patients', columns: ['id', 'deleted_at'] }, { relation: 'patient_groups' },
    { relation: 'patient_group_members' }])
  await sql`SELECT source.create_relation('observation')`.execute(db)
  await sql`DROP TABLE source.patient_group_members, source.consents, source.provenance_events CASCADE`.execute(db)
  await sql`ALTER TABLE source.patients DROP COLUMN deleted_at CASCADE`.execute(db)
  t.strictSame(await read(), {
    api: [{ relation: 'patients', columns: ['id'] }, { relation: 'patient_groups' }],
    worker: [{ relation: 'patients' }, { relation: 'medical_records' }, { relation: 'patient_groups' }, { relation: 'observation' }],
  })
  await sql`DROP TABLE source.patients, source.patient_groups CASCADE`.execute(db)
  t.strictSame((await read()).api, [])
})
