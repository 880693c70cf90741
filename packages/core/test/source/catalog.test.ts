import t from 'tap'
import { sql } from 'kysely'
import { readSource } from '../../src/source/index.ts'
import { openSourceDatabase } from '../fixtures/source-database.ts'

const { db } = await openSourceDatabase(t)

t.test('the migrated tables can be exported, patients first', async t => {
  const { relations, problems, members } = await readSource(db)
  t.strictSame(problems, [])
  t.strictSame(relations.map(({ type }) => type), ['Patient', 'Consent', 'DocumentReference', 'Group', 'Provenance'])
  t.strictSame(relations[0]?.columns.resource, 'json')
  t.match(members, { group_id: 'text', inactive: 'boolean', deleted_at: 'timestamptz' })
})

t.test('a relation of any resource type is found, with the columns that it has', async t => {
  await inRolledBack(async trx => {
    await sql`SELECT source.create_relation('medication_request')`.execute(trx)
    await sql`CREATE TABLE source.patients_minimal (id uuid, updated_at timestamptz, resource text)`.execute(trx)
    await sql`CREATE VIEW source.observation AS SELECT * FROM source.patients_minimal`.execute(trx)
    await sql`CREATE TABLE source.encounter (id text, updated_at timestamptz, resource jsonb) PARTITION BY LIST (id)`.execute(trx)
    await sql`CREATE TABLE source.encounter_1 PARTITION OF source.encounter DEFAULT`.execute(trx)
    await sql`CREATE MATERIALIZED VIEW source.condition AS SELECT * FROM source.encounter`.execute(trx)
    await sql`ALTER TABLE source.patients_minimal SET SCHEMA public`.execute(trx)
    const { relations, problems } = await readSource(trx)
    t.strictSame(problems, [])
    const of = (wanted: string) => relations.find(({ type }) => type === wanted)
    t.strictSame(of('MedicationRequest'), {
      type: 'MedicationRequest',
      relation: 'medication_request',
      kind: 'table',
      columns: { id: 'text', updated_at: 'timestamptz', deleted_at: 'timestamptz', patient_id: 'text', resource: 'json' },
    })
    t.strictSame(of('Observation'), {
      type: 'Observation', relation: 'observation', kind: 'view',
      columns: { id: 'other', updated_at: 'timestamptz', resource: 'text' }
    })
    t.match(of('Encounter'), { kind: 'partitioned', columns: { resource: 'jsonb' } })
    t.match(of('Condition'), { kind: 'other' })
  })
})

t.test('every column but id and updated_at may be missing, and every relation', async t => {
  await inRolledBack(async trx => {
    await sql`
      DROP TABLE source.patient_group_members, source.consents;
      DROP TRIGGER touch_rows_of_patient ON source.patients;
      DROP TRIGGER touch_groups_of_patient ON source.patients;
      ALTER TABLE source.patients DROP COLUMN deleted_at, DROP COLUMN name, DROP COLUMN resource;
      ALTER TABLE source.medical_records DROP COLUMN patient_id, DROP COLUMN status`.execute(trx)
    const { relations, problems, members } = await readSource(trx)
    t.strictSame(problems, [])
    t.strictSame(relations.map(({ type }) => type), ['Patient', 'DocumentReference', 'Group', 'Provenance'])
    t.equal(members, undefined)
  })
})

t.test('what would be lost is named: columns, relations and types that the service does not know', async t => {
  await inRolledBack(async trx => {
    await sql`
      CREATE TABLE source.observations (id text, updated_at timestamptz, resource jsonb);
      CREATE TABLE source.encounter (id text, updated_at timestamptz, patient_id text);
      CREATE TABLE source.condition (id text, resource jsonb);
      ALTER TABLE source.patients RENAME COLUMN gender TO gendre;
      ALTER TABLE source.patients ADD COLUMN patient_id text, ALTER COLUMN name TYPE text, ALTER COLUMN active TYPE text;
      ALTER TABLE source.consents ALTER COLUMN date_time TYPE timestamp USING NULL, ALTER COLUMN updated_at TYPE timestamp;
      ALTER TABLE source.medical_records ALTER COLUMN patient_id TYPE integer USING NULL, ALTER COLUMN resource TYPE xml USING NULL;
      ALTER TABLE source.patient_group_members DROP COLUMN group_id, ADD COLUMN note text`.execute(trx)
    const { problems } = await readSource(trx)
    t.strictSame(problems.sort(), [
      'source.condition.updated_at is missing',
      'source.consents.date_time is timestamp without time zone, not text or timestamptz',
      'source.consents.updated_at is timestamp without time zone, not timestamptz',
      'source.encounter has nothing to export: neither the column resource nor any of its own',
      'source.medical_records.patient_id is integer, not text',
      'source.medical_records.resource is xml, not jsonb, json or text',
      'source.observations is not the relation of a resource type of FHIR R4; the nearest name is observation',
      'source.patient_group_members.group_id is missing',
      'source.patient_group_members.note is not a column that the service knows',
      'source.patients.active is text, not boolean',
      'source.patients.gendre is not a column that the service knows; the nearest name is gender',
      'source.patients.name is text, not jsonb',
      'source.patients.patient_id is not a column that the service knows',
    ])
  })
})

t.test('a source without anything is no source', async t => {
  await inRolledBack(async trx => {
    await sql`DROP SCHEMA source CASCADE`.execute(trx)
    t.strictSame(await readSource(trx), {
      relations: [],
      problems: ['schema source has no relation of a resource type, such as source.patients']
    })
  })
})

t.test('members need their groups', async t => {
  await inRolledBack(async trx => {
    await sql`DROP TABLE source.patient_groups`.execute(trx)
    t.strictSame((await readSource(trx)).problems, ['source.patient_group_members belongs to source.patient_groups, which is missing'])
  })
})

t.test('views over a site\'s own tables will do, with types of the same meaning', async t => {
  await inRolledBack(async trx => {
    await sql`
      CREATE SCHEMA site;
      CREATE TYPE site.gender AS ENUM ('male', 'female');
      CREATE DOMAIN site.code AS varchar(20);
      ALTER TABLE source.patients SET SCHEMA site;
      ALTER TABLE source.consents SET SCHEMA site;
      ALTER TABLE site.patients ALTER COLUMN gender TYPE site.gender USING NULL, ALTER COLUMN mrn TYPE site.code,
        ALTER COLUMN birth_date TYPE date USING NULL, ALTER COLUMN deceased_date_time TYPE timestamptz USING NULL,
        ALTER COLUMN multiple_birth_order TYPE smallint, ALTER COLUMN name TYPE json;
      ALTER TABLE site.consents DROP CONSTRAINT consents_id_check, ALTER COLUMN id TYPE uuid USING NULL, ALTER COLUMN patient_id TYPE uuid
        USING NULL;
      CREATE VIEW source.patients AS SELECT * FROM site.patients;
      CREATE MATERIALIZED VIEW source.consents AS SELECT * FROM site.consents`.execute(trx)
    const { relations, problems } = await readSource(trx)
    t.strictSame(problems, [])
    t.match(relations[0], {
      kind: 'view', columns: {
        gender: 'other', mrn: 'text', birth_date: 'other', deceased_date_time: 'timestamptz',
        multiple_birth_order: 'other', name: 'json'
      }
    })
  })
})

t.test('a relation that this role may not read is named', async t => {
  await inRolledBack(async trx => {
    await sql`
      CREATE ROLE reader_of_some;
      GRANT USAGE ON SCHEMA source TO reader_of_some;
      GRANT SELECT ON ALL TABLES IN SCHEMA source TO reader_of_some;
      REVOKE SELECT ON source.patient_groups FROM reader_of_some;
      GRANT SELECT (id, updated_at, deleted_at, identifier, active, name, code, resource) ON source.patient_groups TO reader_of_some;
      SET LOCAL ROLE reader_of_some`.execute(trx)
    t.strictSame((await readSource(trx)).problems, [
      'source.patient_groups.managing_entity may not be read by this role: GRANT USAGE on the schema and SELECT on the relation',
    ])
  })
})

async function inRolledBack (
  change: (trx: Parameters<Parameters<ReturnType<typeof db.transaction>['execute']>[0]>[0]) => Promise<void>
): Promise<void> {
  const undo = new Error('undo')
  await db.transaction().execute(async trx => {
    await change(trx)
    throw undo
  }).catch((error: unknown) => { if (error !== undo) throw error })
}
