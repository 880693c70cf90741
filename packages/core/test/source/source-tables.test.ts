import t from 'tap'
import { sql, type Kysely } from 'kysely'
import { migrations } from '../../src/db/source-migrations/index.ts'
import { readSource } from '../../src/source/index.ts'
import { openSourceDatabase } from '../fixtures/source-database.ts'

const { db } = await openSourceDatabase(t)

async function updatedAt (relation: string, id: string): Promise<number> {
  const {
    rows: [row],
  } = await sql<{ updated_at: Date }>`SELECT updated_at FROM ${sql.table(`source.${relation}`)} WHERE id = ${id}`.execute(db)
  return row?.updated_at.getTime() ?? 0
}

t.test('updated_at is the time of each write, whatever the writer says', async t => {
  const start = Date.now()
  await sql`INSERT INTO source.patients (id, updated_at) VALUES ('p-1', '2000-01-01')`.execute(db)
  const inserted = await updatedAt('patients', 'p-1')
  t.ok(inserted >= start - 1_000)
  await sql`UPDATE source.patients SET active = true, updated_at = '2000-01-01' WHERE id = 'p-1'`.execute(db)
  t.ok(await updatedAt('patients', 'p-1') >= inserted)
})

t.test('a table is made for a type when it is first met, however many meet it', async t => {
  await Promise.all([1, 2, 3].map(async () => await sql`SELECT source.create_relation('observation')`.execute(db)))
  const digits = '{"valueQuantity":{"value":1.0E2},  "status":"final"}'
  await sql`INSERT INTO source.observation (id, updated_at, patient_id, resource) VALUES ('o-1', '2000-01-01', 'p-1', ${digits}::json),
    ('o-2', NULL, NULL, '{}')`.execute(db)
  t.ok(await updatedAt('observation', 'o-1') > Date.parse('2020-01-01'))
  const { rows } = await sql<{ text: string }>`SELECT resource::text AS text FROM source.observation WHERE id = 'o-1'`.execute(db)
  t.equal(rows[0]?.text, digits, 'as it was given')
  t.match((await readSource(db)).problems, [])
  for (const name of ['Observation', 'x; DROP TABLE source.patients', '']) {
    await t.rejects(sql`SELECT source.create_relation(${name})`.execute(db), { code: '42602' } as Error & { code: string })
  }
})

t.test('an id that FHIR could not write, a resource that is missing and a member of nothing are refused', async t => {
  for (const relation of ['patients', 'observation']) {
    for (const id of ['', 'a b', 'a_b', 'x'.repeat(65), 'ä']) {
      await t.rejects(sql`INSERT INTO ${sql.table(`source.${relation}`)} (id, resource) VALUES (${id}, '{}')`.execute(db),
        { code: '23514' } as Error & { code: string }, id)
    }
  }
  await t.rejects(sql`INSERT INTO source.observation (id) VALUES ('o-3')`.execute(db), { code: '23502' } as Error & { code: string })
  await t.rejects(sql`INSERT INTO source.patient_group_members (id, patient_id) VALUES ('m-1', 'p-1')`.execute(db),
    { code: '23502' } as Error & { code: string })
})

t.test('rows of a patient who is back have changed, in every relation that has rows of patients', async t => {
  await sql`CREATE TABLE source.encounter (id text, updated_at timestamptz, patient_id text, resource jsonb) PARTITION BY LIST
    (id)`.execute(db)
  await sql`CREATE TABLE source.encounter_1 PARTITION OF source.encounter DEFAULT`.execute(db)
  await sql`INSERT INTO source.encounter VALUES ('e-1', '2000-01-01', 'p-1', '{}'), ('e-2', '2000-01-01', 'p-2', '{}')`.execute(db)
  await sql`INSERT INTO source.consents (id, patient_id) VALUES ('c-1', 'p-1')`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id) VALUES ('m-1', 'g-1', 'p-1')`.execute(db)
  await sql`UPDATE source.patients SET deleted_at = now() WHERE id = 'p-1'`.execute(db)
  const times = async () => await Promise.all([updatedAt('observation', 'o-1'), updatedAt('consents', 'c-1'),
    updatedAt('encounter', 'e-1')])
  const before = await times()
  const others = await Promise.all([updatedAt('observation', 'o-2'), updatedAt('patient_group_members', 'm-1'),
    updatedAt('encounter', 'e-2')])
  await sql`UPDATE source.patients SET deleted_at = NULL WHERE id = 'p-1'`.execute(db)
  const after = await times()
  after.forEach((time, i) => { t.ok(time > (before[i] ?? 0)) })
  t.strictSame(await Promise.all([updatedAt('observation', 'o-2'), updatedAt('patient_group_members', 'm-1'),
    updatedAt('encounter', 'e-2')]), others)
  await sql`DROP TABLE source.encounter`.execute(db)
})

t.test('a group has changed when its members have, or when a patient of them is deleted or back', async t => {
  await sql`INSERT INTO source.patient_groups (id) VALUES ('g-1'), ('g-2'), ('g-3')`.execute(db)
  const changes = [
    [['g-1', 'g-2'],
      "INSERT INTO source.patient_group_members (id, group_id, patient_id) VALUES ('m-2', 'g-1', 'p-9'), ('m-3', 'g-2', 'p-8')"],
    [['g-1', 'g-3'], "UPDATE source.patient_group_members SET group_id = 'g-3' WHERE id = 'm-2'"],
    [['g-2'], "DELETE FROM source.patient_group_members WHERE id = 'm-3'"],
    [['g-1'], "UPDATE source.patients SET deleted_at = now() WHERE id = 'p-1'"],
    [['g-1'], "UPDATE source.patients SET deleted_at = NULL WHERE id = 'p-1'"],
    [[], "UPDATE source.patients SET active = false WHERE id = 'p-1'"],
  ] as const
  const times = async () => await Promise.all(['g-1', 'g-2', 'g-3'].map(async id => await updatedAt('patient_groups', id)))
  for (const [changed, statement] of changes) {
    const before = await times()
    await sql.raw(statement).execute(db)
    const after = await times()
    t.strictSame(['g-1', 'g-2', 'g-3'].filter((_, i) => after[i] !== before[i]), changed, statement)
  }
})

/** Of all tables: the definitions that have `deleted_at` beside `updated_at`, and those that do not. */
async function findIndexes (): Promise<{ with: number, without: number }> {
  const { rows: [found] } = await sql<{ with: number, without: number }>`
    SELECT count(*) FILTER (WHERE indexdef ~ ' INCLUDE .deleted_at.$') AS with, count(*) FILTER (WHERE indexdef ~ 'updated_at.$') AS without
    FROM pg_indexes WHERE schemaname = 'source'`.execute(db)
  return found ?? { with: 0, without: 0 }
}

t.test('rows can be counted by an index of every table, made before or after the migration that said so', async t => {
  const { up, down } = migrations['1771771016000-CountByIndex'] ?? {}
  const own = db as never as Kysely<unknown>
  t.strictSame(await findIndexes(), { with: 11, without: 0 })
  await down?.(own)
  await sql`SELECT source.create_relation('condition')`.execute(db)
  // What a site has made is left as it is: an index that cannot hold the column beside its keys, and one that a constraint needs.
  await sql`CREATE INDEX condition_by_block ON source.condition USING brin (updated_at)`.execute(db)
  await sql`ALTER TABLE source.condition ADD CONSTRAINT once UNIQUE (id, updated_at)`.execute(db)
  t.strictSame(await findIndexes(), { with: 0, without: 15 })
  await up?.(own)
  await sql`SELECT source.create_relation('procedure')`.execute(db)
  t.strictSame(await findIndexes(), { with: 15, without: 2 })
})

t.test('the migrations can be undone and done again, whatever tables were made', async t => {
  const own = db as never as Parameters<typeof migrations[string]['up']>[0]
  for (const { down } of Object.values(migrations).reverse()) await down?.(own)
  t.strictSame((await readSource(db)).relations, [])
  for (const { up } of Object.values(migrations)) await up(own)
  t.strictSame((await readSource(db)).problems, [])
})
