import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import type { PoolClient } from 'pg'
import t from 'tap'
import { holdings, openClient, toHoldings } from '../fixtures/chain.ts'
import { openWith, readExport, startWith } from '../fixtures/service.ts'
import { startWriters } from '../fixtures/writers.ts'

const patients = 30
const now = 'clock_timestamp()'
const operations = [
  'UPDATE source.patients SET gender = \'female\' WHERE id = \'p\' || $1',
  'UPDATE source.medical_records SET description = \'new\' WHERE id = \'d\' || $1',
  `UPDATE source.medical_records SET deleted_at = ${now} WHERE id = 'd' || $1`,
  'UPDATE source.medical_records SET deleted_at = NULL WHERE id = \'d\' || $1',
  `UPDATE source.provenance_events SET deleted_at = CASE WHEN deleted_at IS NULL THEN ${now} END WHERE id = 'e' || $1`,
  `UPDATE source.patients SET deleted_at = ${now} WHERE id = 'p' || $1`,
  'UPDATE source.patients SET deleted_at = NULL WHERE id = \'p\' || $1',
  "INSERT INTO source.consents (id, patient_id, status, decision) VALUES (gen_random_uuid()::text, 'p' || $1, 'active', 'deny')",
  "INSERT INTO source.medical_records (id, patient_id, status, content) SELECT gen_random_uuid()::text, 'p' || $1, 'current', content " +
    "FROM source.medical_records WHERE id = 'd1'",
]

async function change (client: PoolClient) {
  try {
    await client.query('BEGIN')
    for (let n = Math.floor(Math.random() * 3); n >= 0; n--) {
      await client.query(operations[Math.floor(Math.random() * operations.length)] ?? '', [1 + Math.floor(Math.random() * patients)])
      await delay(Math.random() * 40) // stamped long before it is committed
    }
    await client.query(Math.random() < 0.1 ? 'ROLLBACK' : 'COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    if ((error as { code?: string }).code !== '40P01') throw error // two writers in each other's way
  }
}

t.test('a chain of _since exports is the database: inserts, updates, deletes, undeletes and late commits', async (t) => {
  const service = await openWith(t, patients)
  const writers = startWriters(t, service, change)
  await service.startWorker({ EXPORT_LATE_COMMIT_MARGIN: '0ms' })
  const client = await openClient(service)
  let deletes = 0
  for (let i = 0; i < 15; i++) {
    await client.follow()
    deletes += client.deleted.length
  }
  t.ok(await writers.finish() > 50)
  await client.follow()
  t.ok(deletes > 0, `${deletes} deletes were told`)
  t.same(toHoldings(client.held), await holdings(service))
})

t.test("of deletes a client is told its own types', patients' and groups', whatever their content was", async (t) => {
  const service = await openWith(t, 4)
  const { db } = service
  await sql`INSERT INTO source.patient_groups (id) VALUES ('g')`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id) SELECT 'm' || i, 'g', 'p' || i
    FROM generate_series(1, 3) i`.execute(db)
  await service.startWorker({ EXPORT_LATE_COMMIT_MARGIN: '0ms' })
  const [all, documents, own, former, listed, group, filtered] = await Promise.all([
    openClient(service),
    openClient(service, { types: ['DocumentReference'] }),
    openClient(service, { requester_role: 'PATIENT', patient_id: 'p1' }),
    openClient(service, { requester_role: 'PATIENT', patient_id: 'p2', types: ['DocumentReference'] }),
    openClient(service, { patient: ['p2', 'p4'], types: ['Patient', 'DocumentReference'] }),
    openClient(service, { level: 'group', group_id: 'g', types: ['Patient', 'DocumentReference'] }),
    openClient(service, { _typeFilter: ['DocumentReference?status=superseded'], types: ['DocumentReference'] }),
  ])
  const clients = [all, documents, own, former, listed, group, filtered]
  for (const client of clients) await client.follow()
  t.same(all.deleted, [], 'without _since there is nothing to take back')

  await sql`UPDATE source.medical_records SET deleted_at = now() WHERE id IN ('d1', 'd4')`.execute(db)
  await sql`UPDATE source.patient_group_members SET deleted_at = now() WHERE patient_id = 'p3'`.execute(db)
  await sql`UPDATE source.patients SET deleted_at = now() WHERE id = 'p3'`.execute(db)
  for (const client of clients) await client.follow()
  t.same(all.deleted.sort(), ['Consent/c3', 'DocumentReference/d1', 'DocumentReference/d3', 'DocumentReference/d4', 'Patient/p3',
    'Provenance/e3'])
  t.same(documents.deleted.sort(), ['DocumentReference/d1', 'DocumentReference/d3', 'DocumentReference/d4'])
  t.same(own.deleted, ['DocumentReference/d1'])
  t.same(listed.deleted, ['DocumentReference/d4'])
  t.same(group.deleted.sort(), ['DocumentReference/d1', 'DocumentReference/d3', 'Patient/p3'])
  t.same(filtered.deleted.sort(), ['DocumentReference/d1', 'DocumentReference/d3', 'DocumentReference/d4'])

  await sql`UPDATE source.medical_records SET patient_id = 'p3' WHERE id = 'd2'`.execute(db)
  await all.follow()
  t.same(all.deleted, ['DocumentReference/d2'], 'it belongs to a deleted patient now')

  await sql`ALTER TABLE source.medical_records DROP CONSTRAINT medical_records_pkey`.execute(db) // as a view may be
  await sql`INSERT INTO source.medical_records (id, patient_id, deleted_at) VALUES ('d2', 'p2', now())`.execute(db)
  await sql`UPDATE source.medical_records SET patient_id = 'p4' WHERE id = 'd2' AND deleted_at IS NULL`.execute(db)
  for (const client of [all, former, listed]) await client.follow()
  t.same(all.deleted, [], 'it has moved to a patient who is there')
  t.same(listed.deleted, [])
  t.same(former.deleted, ['DocumentReference/d2'], 'of which the former patient sees nothing but that it is gone')
  t.same(toHoldings(all.held), await holdings(service))
})

t.test("a group's chain has everything of members that joined later", async (t) => {
  const service = await openWith(t, 3)
  const { db } = service
  await sql`INSERT INTO source.patient_groups (id) VALUES ('g')`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id, inactive) VALUES ('1', 'g', 'p1', NULL),
    ('2', 'g', 'p2', true)`.execute(db)
  await service.startWorker({ EXPORT_LATE_COMMIT_MARGIN: '0ms' })
  const client = await openClient(service, { level: 'group', group_id: 'g' })
  await client.follow()
  t.equal(client.held.size, 4)
  await sql`UPDATE source.patient_group_members SET inactive = false WHERE id = '2'`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id) VALUES ('3', 'g', 'p3')`.execute(db)
  await client.follow()
  t.same(toHoldings(client.held), await holdings(service, 'g'))
  t.equal(client.held.size, 12)
})

t.test('many deletes are several transactions, each of a size that a client can apply', async (t) => {
  const service = await startWith(t, 300)
  await sql`UPDATE source.patients SET deleted_at = now()`.execute(service.db)
  const row = await service.run({ _since: new Date(0) })
  const files = await readExport(service, row.id)
  t.same(Object.keys(files), ['deleted.1.ndjson'])
  t.same(files['deleted.1.ndjson']?.map(({ entry }) => (entry as unknown[]).length).sort(), [200, 500, 500])
})
