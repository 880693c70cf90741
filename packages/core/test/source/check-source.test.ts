import t from 'tap'
import { sql } from 'kysely'
import { findSourceProblems, relations } from '../../src/source/index.ts'
import { openSourceDatabase } from '../fixtures/source-database.ts'

const { db } = await openSourceDatabase(t)

t.test('the migrated tables have what an export reads', async t => {
  t.strictSame(await findSourceProblems(db), [])
})

t.test('and nothing else: the migration and the relations name the same columns', async t => {
  const { rows } = await sql<{ name: string }>`
    SELECT table_name || '.' || column_name AS name FROM information_schema.columns WHERE table_schema = 'source'`.execute(db)
  const expected = Object.entries(relations).flatMap(([relation, columns]) => Object.keys(columns).map(column => `${relation}.${column}`))
  t.strictSame(rows.map(row => row.name).sort(), expected.sort())
})

t.test('every missing relation and column and every wrong type is named', async t => {
  await inRolledBack(async function damage (trx) {
    await sql`
      DROP TABLE source.patient_groups;
      ALTER TABLE source.patients DROP COLUMN gender, ALTER COLUMN name TYPE text, ALTER COLUMN active TYPE text;
      ALTER TABLE source.consents ALTER COLUMN date_time TYPE timestamp USING NULL, ALTER COLUMN updated_at TYPE timestamp;
      ALTER TABLE source.medical_records ALTER COLUMN patient_id TYPE integer USING NULL`.execute(trx)
    t.strictSame((await findSourceProblems(trx)).sort(), [
      'source.consents.date_time is timestamp without time zone, not text or timestamptz',
      'source.consents.updated_at is timestamp without time zone, not timestamptz',
      'source.medical_records.patient_id is integer, not text',
      'source.patient_groups is missing',
      'source.patients.active is text, not boolean',
      'source.patients.gender is missing',
      'source.patients.name is text, not jsonb',
    ])
  })
})

t.test('without the schema, every relation is missing', async t => {
  await inRolledBack(async function drop (trx) {
    await sql`DROP SCHEMA source CASCADE`.execute(trx)
    t.strictSame(await findSourceProblems(trx), Object.keys(relations).map(relation => `source.${relation} is missing`))
  })
})

t.test('views over a site\'s own tables will do, with types of the same text form', async t => {
  await inRolledBack(async function replaceByViews (trx) {
    await sql`
      CREATE SCHEMA site;
      CREATE TYPE site.gender AS ENUM ('male', 'female');
      CREATE DOMAIN site.code AS varchar(20);
      ALTER TABLE source.patients SET SCHEMA site;
      ALTER TABLE source.consents SET SCHEMA site;
      ALTER TABLE site.patients ALTER COLUMN gender TYPE site.gender USING NULL, ALTER COLUMN mrn TYPE site.code,
        ALTER COLUMN birth_date TYPE date USING NULL, ALTER COLUMN deceased_date_time TYPE timestamptz USING NULL,
        ALTER COLUMN multiple_birth_order TYPE smallint, ALTER COLUMN name TYPE json;
      ALTER TABLE site.consents DROP CONSTRAINT consents_id_check, ALTER COLUMN id TYPE uuid USING NULL, ALTER COLUMN patient_id TYPE uuid USING NULL;
      CREATE VIEW source.patients AS SELECT * FROM site.patients;
      CREATE MATERIALIZED VIEW source.consents AS SELECT * FROM site.consents`.execute(trx)
    t.strictSame(await findSourceProblems(trx), [])
  })
})

t.test('a relation that this role may not read is named', async t => {
  await inRolledBack(async function forbid (trx) {
    await sql`
      CREATE ROLE reader_of_some;
      GRANT USAGE ON SCHEMA source TO reader_of_some;
      GRANT SELECT ON ALL TABLES IN SCHEMA source TO reader_of_some;
      REVOKE SELECT ON source.patient_groups FROM reader_of_some;
      GRANT SELECT (id, updated_at, deleted_at, identifier, active, name, code) ON source.patient_groups TO reader_of_some;
      SET LOCAL ROLE reader_of_some`.execute(trx)
    t.strictSame(await findSourceProblems(trx), [
      'source.patient_groups.managing_entity may not be read by this role: GRANT USAGE on the schema and SELECT on the relation',
    ])
  })
})

async function inRolledBack (change: (trx: Parameters<typeof findSourceProblems>[0]) => Promise<void>): Promise<void> {
  const undo = new Error('undo')
  await db.transaction().execute(async function changeAndUndo (trx) {
    await change(trx)
    throw undo
  }).catch((error: unknown) => { if (error !== undo) throw error })
}
