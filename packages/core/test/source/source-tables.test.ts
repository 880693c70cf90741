import t from 'tap'
import { sql } from 'kysely'
import { down, up } from '../../src/db/source-migrations/1771771001000-CreateSourceTables.ts'
import { findSourceProblems } from '../../src/source/index.ts'
import { openSourceDatabase } from '../fixtures/source-database.ts'

const { db } = await openSourceDatabase(t)

async function updatedAt (): Promise<number> {
  const { rows: [row] } = await sql<{ updated_at: Date }>`SELECT updated_at FROM source.patients WHERE id = 'p-1'`.execute(db)
  return row?.updated_at.getTime() ?? 0
}

t.test('updated_at is the time of each write, whatever the writer says', async t => {
  const start = Date.now()
  await sql`INSERT INTO source.patients (id, updated_at) VALUES ('p-1', '2000-01-01')`.execute(db)
  const inserted = await updatedAt()
  t.ok(inserted >= start - 1_000)
  await sql`UPDATE source.patients SET active = true, updated_at = '2000-01-01' WHERE id = 'p-1'`.execute(db)
  t.ok(await updatedAt() >= inserted)
})

t.test('an id that FHIR could not write, and a row without patient, are refused', async t => {
  for (const id of ['', 'a b', 'a_b', 'x'.repeat(65), 'ä']) {
    await t.rejects(sql`INSERT INTO source.patients (id) VALUES (${id})`.execute(db), { code: '23514' } as Error & { code: string }, id)
  }
  await t.rejects(sql`INSERT INTO source.consents (id) VALUES ('c-1')`.execute(db))
  await t.rejects(sql`INSERT INTO source.patient_group_members (id, patient_id) VALUES ('m-1', 'p-1')`.execute(db))
})

t.test('the migration can be undone and done again', async t => {
  await down(db as never as Parameters<typeof down>[0])
  t.not((await findSourceProblems(db)).length, 0)
  await up(db as never as Parameters<typeof up>[0])
  t.strictSame(await findSourceProblems(db), [])
})
