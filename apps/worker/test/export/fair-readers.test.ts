import { findExport } from '@fhir-bulk-export/core/exports'
import { ended, eventually, givenPatients, givenTypes, openPool } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { openService, type Service } from '../fixtures/service.ts'

/** Two large exports in a worker of one reader: a part of the one, a part of the other. */

const patients = 1_000

/** The exports of the files, as these were stored. Nothing is stored before both exports are under way: their parts wait. */
async function exportTwice (t: Test, service: Service, isUnderWay: (id: string) => Promise<boolean>): Promise<string[]> {
  const { db, environment: { DATABASE_URL = '' } } = service
  await sql.raw(`
    CREATE SCHEMA IF NOT EXISTS watch;
    CREATE TABLE watch.stored (n bigint GENERATED ALWAYS AS IDENTITY, export_id uuid);
    CREATE FUNCTION watch.note () RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO watch.stored (export_id) VALUES (NEW.export_id); RETURN NULL; END $$;
    CREATE TRIGGER note AFTER UPDATE ON bulk_export_files FOR EACH ROW WHEN (NEW.state = 'stored') EXECUTE FUNCTION watch.note()
  `).execute(db)
  await service.startWorker({ EXPORT_READERS: '1', WORKER_CONCURRENCY: '3' })
  const lock = await openPool(t, DATABASE_URL).connect()
  await lock.query('BEGIN; LOCK TABLE bulk_export_files IN SHARE MODE')
  const ids = [await service.kickOff(), await service.kickOff()]
  await eventually(async () => (await Promise.all(ids.map(isUnderWay))).every(Boolean))
  await lock.query('COMMIT')
  lock.release()
  for (const id of ids) t.match(await ended(service, id), { status: 'completed', attempt: 1, exported_resources: 4 * patients })
  const { rows } = await sql<{ export_id: string }>`SELECT export_id FROM watch.stored ORDER BY n`.execute(db)
  return rows.map(({ export_id: id }) => id)
}

function assertInTurn (t: Test, order: string[], files: number): void {
  const [first, second] = new Set(order)
  t.strictSame(order, Array.from({ length: files }, () => [first, second]).flat())
}

t.test('parts that any worker may read', async (t) => {
  const service = await openService(t, { EXPORT_PART_BYTES: '64KiB' })
  await givenPatients(service.db, patients)
  let parts = 0
  const order = await exportTwice(t, service, async (id) => {
    parts = (await service.db.selectFrom('bulk_export_parts').select('n').where('export_id', '=', id).execute()).length
    return parts > 0
  })
  t.ok(parts > givenTypes.length)
  assertInTurn(t, order, parts)
})

t.test('parts of this worker alone', async (t) => {
  const service = await openService(t)
  await givenPatients(service.db, patients)
  // A table of this size would be read at once; a view is a part of its own.
  await sql.raw(`CREATE SCHEMA watch; ${['patients', 'medical_records', 'consents', 'provenance_events'].map((relation) => `
    ALTER TABLE source.${relation} SET SCHEMA watch; CREATE VIEW source.${relation} AS SELECT * FROM watch.${relation};`).join('')}`)
    .execute(service.db)
  const order = await exportTwice(t, service, async (id) => ((await findExport(service.db, id))?.total_resources ?? 0) > 0)
  assertInTurn(t, order, givenTypes.length)
})
