import { findExport } from '@fhir-bulk-export/core/exports'
import { toFileKey } from '@fhir-bulk-export/core/store'
import { ended, keptKeys } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { runBulkExportCleanup } from '../../src/tasks/bulk-export-cleanup.task.ts'
import { dropOrphans } from '../../src/tasks/sweep.ts'
import { log, openService, openWith } from '../fixtures/service.ts'

async function * bytes () { yield Buffer.from('{}\n') }

t.test('expired exports go, with their files; others stay', async (t) => {
  const service = await openWith(t, 2)
  const worker = await service.startWorker()
  const [expired, kept] = [await service.kickOff({ types: ['Patient'] }), await service.kickOff({ types: ['Patient'] })]
  await ended(service, expired)
  await ended(service, kept)
  await worker.close()

  const resources = { db: service.db, store: service.store, log }
  await runBulkExportCleanup(resources)
  t.equal((await keptKeys(service.store)).length, 2)
  await sql`UPDATE bulk_export_jobs SET expires_at = now() WHERE id = ${expired}`.execute(service.db)
  await Promise.all([runBulkExportCleanup(resources), runBulkExportCleanup(resources)])
  await runBulkExportCleanup(resources)
  t.match(await keptKeys(service.store), [new RegExp(`^${kept}\\.1\\.\\d+\\.ndjson$`)])
  const { rows } = await sql`SELECT id FROM bulk_export_jobs`.execute(service.db)
  t.same(rows, [{ id: kept }])
})

t.test('what was stored and never written down is found and dropped; what is not ours stays', async (t) => {
  const service = await openWith(t, 2)
  const worker = await service.startWorker()
  const id = await service.kickOff({ types: ['Patient'] })
  await ended(service, id)
  await worker.close()

  await sql`INSERT INTO bulk_export_files (export_id, attempt, n, list, type) VALUES (${id}, 0, 1, 'output', 'Patient')`.execute(service.db)
  const orphan = toFileKey({ export_id: id, attempt: 0, n: 1 })
  const foreign = toFileKey({ export_id: '00000000-0000-4000-8000-000000000000', attempt: 1, n: 1 })
  await service.store.put(orphan, bytes())
  await service.store.put(foreign, bytes())
  await dropOrphans({ db: service.db, store: service.store, log })
  t.match(await keptKeys(service.store), [foreign, new RegExp(`^${id}\\.1\\.\\d+\\.ndjson$`)])

  // A worker that was paused for long may store its file after the sweep: the ledger still knows the key.
  await service.store.put(orphan, bytes())
  await dropOrphans({ db: service.db, store: service.store, log })
  t.equal((await keptKeys(service.store)).includes(orphan), false)
  t.match(await findExport(service.db, id), { status: 'completed' })
})

t.test('however much there is to clean up, no statement touches more than a batch of it', async (t) => {
  const { db, store } = await openService(t)
  await sql`CREATE TABLE touched (name text, rows bigint)`.execute(db)
  await sql`CREATE FUNCTION count_touched () RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN INSERT INTO touched SELECT TG_TABLE_NAME || TG_OP, count(*) FROM touched_rows; RETURN NULL; END'`.execute(db)
  await sql`INSERT INTO bulk_export_jobs (id, status, profile, request, requester_role, requester, issuer, types, ended_at, expires_at)
    SELECT gen_random_uuid(), 'failed', 'respond-async', '', 'ADMIN', '', '', '{}', now(), now() FROM generate_series(1, 2500)`.execute(db)
  await sql`INSERT INTO bulk_export_files (export_id, attempt, n, list, type, state, dropped_at)
    SELECT gen_random_uuid(), 1, 1, 'output', 'Patient', 'dropped', now() - interval '25 hours' FROM generate_series(1, 2500)`.execute(db)
  await sql`INSERT INTO bulk_export_downloads SELECT gen_random_uuid(), gen_random_uuid(), now() - interval '1 s'
    FROM generate_series(1, 2500)`.execute(db)
  await sql`INSERT INTO bulk_export_callers SELECT i::text, now() - interval '1 s' FROM generate_series(1, 2500) i`.execute(db)
  await sql`INSERT INTO bulk_export_client_assertions SELECT 'lab', i::text, now() - interval '1 s'
    FROM generate_series(1, 2500) i`.execute(db)
  const tables = ['bulk_export_jobs', 'bulk_export_files', 'bulk_export_downloads', 'bulk_export_callers', 'bulk_export_client_assertions']
  for (const table of tables) {
    for (const [name, event, rows] of [['d', 'DELETE', 'OLD'], ['u', 'UPDATE', 'NEW']] as const) {
      await sql`CREATE TRIGGER ${sql.ref(name)} AFTER ${sql.raw(event)} ON ${sql.table(table)} REFERENCING ${sql.raw(rows)} TABLE
        AS touched_rows FOR EACH STATEMENT EXECUTE FUNCTION count_touched()`.execute(db)
    }
  }

  await runBulkExportCleanup({ db, store, log })
  for (const table of tables) t.same((await sql`SELECT count(*) AS rows FROM ${sql.table(table)}`.execute(db)).rows, [{ rows: 0 }], table)
  const { rows } =
    await sql<{ name: string, all: number, most: number }>`SELECT name, sum(rows)::integer AS all, max(rows) AS most FROM touched
      GROUP BY name HAVING sum(rows) > 0 ORDER BY name`.execute(db)
  t.same(rows, [
    { name: 'bulk_export_callersDELETE', all: 2500, most: 1000 },
    { name: 'bulk_export_client_assertionsDELETE', all: 2500, most: 1000 },
    { name: 'bulk_export_downloadsDELETE', all: 2500, most: 1000 },
    { name: 'bulk_export_filesDELETE', all: 2500, most: 1000 },
    { name: 'bulk_export_jobsDELETE', all: 2500, most: 1000 },
    { name: 'bulk_export_jobsUPDATE', all: 2500, most: 1000 },
  ])
})

t.test('a step that fails keeps none of the others: garbage is collected whatever happens before', async (t) => {
  const { db, store } = await openService(t)
  await sql`CREATE FUNCTION refuse () RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RAISE ''canceling statement due to statement timeout'' USING ERRCODE = ''57014''; END'`.execute(db)
  const tables = ['bulk_export_jobs', 'bulk_export_downloads', 'bulk_export_callers']
  for (const table of tables) {
    await sql`CREATE TRIGGER refuse BEFORE DELETE ON ${sql.table(table)} FOR EACH ROW EXECUTE FUNCTION refuse()`.execute(db)
  }
  await sql`INSERT INTO bulk_export_jobs (id, status, profile, request, requester_role, requester, issuer, types, ended_at, expires_at)
    VALUES (gen_random_uuid(), 'failed', 'respond-async', '', 'ADMIN', '', '', '{}', now(), now())`.execute(db)
  await sql`INSERT INTO bulk_export_downloads VALUES (gen_random_uuid(), gen_random_uuid(), now() - interval '1 s')`.execute(db)
  await sql`INSERT INTO bulk_export_callers VALUES ('quiet', now() - interval '1 s')`.execute(db)
  await sql`INSERT INTO bulk_export_files (export_id, attempt, n, list, type, state, dropped_at) VALUES
    (gen_random_uuid(), 1, 1, 'output', 'Patient', 'dropped', now())`.execute(db)

  let collections = 0
  const broken = {
    ...store,
    list: () => { throw new Error('the pins cannot be listed') },
    collectGarbage: async () => { collections++ },
  }
  await runBulkExportCleanup({ db, store: broken, log })
  t.equal(collections, 1)
  t.match((await sql`SELECT collected FROM bulk_export_files`.execute(db)).rows, [{ collected: true }])
  for (const table of tables) {
    await sql`DROP TRIGGER refuse ON ${sql.table(table)}`.execute(db)
    t.same((await sql`SELECT count(*) AS rows FROM ${sql.table(table)}`.execute(db)).rows, [{ rows: 1 }], `${table}: for the next cleanup`)
  }
  await runBulkExportCleanup({ db, store, log })
  for (const table of tables) t.same((await sql`SELECT count(*) AS rows FROM ${sql.table(table)}`.execute(db)).rows, [{ rows: 0 }], table)
})
