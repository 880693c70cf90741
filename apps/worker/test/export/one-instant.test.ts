import { setTimeout as delay } from 'node:timers/promises'
import { ended, eventually } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import type { PoolClient } from 'pg'
import t from 'tap'
import { openService, readExport, type Service } from '../fixtures/service.ts'
import { startWriters } from '../fixtures/writers.ts'

/**
 * A transaction of any length: it gives patient `a<i>`, patient `b<i>` and document `d<i>` the same new version, so that a file which mixes
 * two instants shows.
 */
function updateOne (pairs: number) {
  return async (client: PoolClient, version: number): Promise<void> => {
    const values = [Math.floor(Math.random() * pairs), version]
    await client.query('BEGIN')
    // In one order, so that writers do not deadlock; the rows are stamped long before they are committed.
    await client.query("UPDATE source.patients SET birth_date = (date '1900-01-01' + $2::int % 40000)::text WHERE id = 'a' || $1", values)
    await delay(Math.random() * 30)
    await client.query("UPDATE source.patients SET birth_date = (date '1900-01-01' + $2::int % 40000)::text WHERE id = 'b' || $1", values)
    await client.query("UPDATE source.medical_records SET description = (date '1900-01-01' + $2::int % 40000)::text WHERE id = 'd' || $1",
      values)
    await delay(Math.random() * 30)
    await client.query('COMMIT')
  }
}

async function givenPairs ({ db }: Service, pairs: number, padding: number) {
  await sql`INSERT INTO source.patients (id, birth_date, name)
    SELECT kind || i, '1900-01-01', jsonb_build_array(jsonb_build_object('text', ${'x'.repeat(padding)}::text || md5(i::text)))
    FROM generate_series(0, ${pairs - 1}::int) i, unnest(ARRAY['a', 'b']) kind`.execute(db)
  await sql`INSERT INTO source.medical_records (id, patient_id, status, description, content)
    SELECT 'd' || i, 'a' || i, 'current', '1900-01-01', '[{"attachment":{"contentType":"text/plain","data":"aGVsbG8="}}]'
    FROM generate_series(0, ${pairs - 1}::int) i`.execute(db)
}

t.test('several readers and many writers: every row once, and all of one instant', async (t) => {
  const service = await openService(t)
  const pairs = 50_000
  await givenPairs(service, pairs, 900)
  const writers = startWriters(t, service, updateOne(pairs))
  const changed = sql`SELECT FROM source.patients WHERE birth_date <> '1900-01-01' LIMIT 1`
  await eventually(async () => (await changed.execute(service.db)).rows.length > 0)
  await service.startWorker({ EXPORT_READERS: '3' })
  const id = await service.kickOff({ types: ['Patient', 'DocumentReference'] })
  t.match(await ended(service, id), { status: 'completed', total_resources: 3 * pairs, exported_resources: 3 * pairs })
  await writers.finish()

  const files = await readExport(service, id)
  t.ok(Object.keys(files).filter((name) => name.startsWith('Patient.')).length > 1, 'the table was divided among readers')
  const resources = Object.values(files).flat()
  const versions = new Map(resources.map((resource) => [resource.id, resource.birthDate ?? resource.description]))
  t.equal(resources.length, 3 * pairs)
  t.equal(versions.size, 3 * pairs)
  const torn = Array.from({ length: pairs }, (_, i) => i).filter((i) =>
    versions.get(`a${i}`) !== versions.get(`b${i}`) || versions.get(`a${i}`) !== versions.get(`d${i}`))
  t.same(torn, [])
  t.ok(new Set(versions.values()).size > 1, 'the writers had written before the snapshot')
})

t.test('a chain of _since exports is the database, with rows stamped before a snapshot and committed after it', async (t) => {
  const service = await openService(t)
  const pairs = 40
  await givenPairs(service, pairs, 0)
  const writers = startWriters(t, service, updateOne(pairs))
  await service.startWorker({ EXPORT_LATE_COMMIT_MARGIN: '0ms' })

  const replayed = new Map<string, unknown>()
  let since: Date | null = null
  async function exportNext () {
    const row = await service.run({ types: ['Patient', 'DocumentReference'], _since: since })
    for (const resource of Object.values(await readExport(service, row.id)).flat()) {
      replayed.set(resource.id, resource.birthDate ?? resource.description)
    }
    since = row.transaction_time
  }
  for (let i = 0; i < 12; i++) await exportNext()
  await writers.finish()
  await exportNext()

  const { rows } = await sql<{ id: string, version: string }>`
    SELECT id, birth_date AS version FROM source.patients UNION ALL SELECT id, description FROM source.medical_records`.execute(service.db)
  t.same(Object.fromEntries(replayed), Object.fromEntries(rows.map(({ id, version }) => [id, version])))
})
