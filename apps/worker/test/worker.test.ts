import { rename } from 'node:fs/promises'
import { hostname } from 'node:os'
import { cancelExport, findExport } from '@fhir-bulk-export/core/exports'
import { ended, eventually, keptKeys } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { givenExport, holdOthers, openService, openWith, running, startWith } from './fixtures/service.ts'

t.test('a cancel stops a running export in mid-file, and nothing it wrote stays', async (t) => {
  const service = await openWith(t, 20_000)
  await holdOthers(service, 'patients', "id <> 'p20000'")
  await service.startWorker()
  const id = await service.kickOff({ types: ['Patient'] })
  await running(service.db, id)
  t.equal(await cancelExport(service.db, id, 60_000), true)
  await eventually(async () => (await keptKeys(service.store)).length === 0)
  t.match(await findExport(service.db, id), { status: 'cancelled', attempt: 1 })
})

t.test('an export whose job never reached the queue is found', async (t) => {
  const service = await openWith(t, 2)
  const id = await givenExport(service.db)
  await service.startWorker()
  t.match(await ended(service, id), { status: 'completed' })
})

t.test('a worker can be seen, after its end as well, and is forgotten a day later', async (t) => {
  const { db, startWorker } = await openService(t)
  const seen = async () => await db.selectFrom('bulk_export_workers').selectAll().orderBy('started_at').execute()
  await (await startWorker()).close()
  const [first] = await seen()
  t.match(first, { host: hostname(), started_at: Date, seen_at: Date })
  await startWorker()
  t.equal((await seen()).length, 2)
  await db.updateTable('bulk_export_workers').set({ seen_at: sql`now() - interval '25 hours'` }).execute()
  const rest = await eventually(async () => {
    const rows = await seen()
    return rows.length === 1 && rows
  })
  t.not(rest[0]?.id, first?.id)
})

t.test('many exports, two workers, every job twice: each export runs once', async (t) => {
  const service = await openWith(t, 20)
  const ids = await Promise.all(Array.from({ length: 12 }, async () => await service.kickOff()))
  await Promise.all(ids.map(service.queue.enqueueAgain))
  await Promise.all([service.startWorker(), service.startWorker()])
  for (const id of ids) t.match(await ended(service, id), { status: 'completed', attempt: 1, exported_resources: 80 })
  t.equal((await keptKeys(service.store)).length, 48)
})

t.test('a patient does not wait for a large export, nor for those that wait for it', async (t) => {
  const service = await openWith(t, 1_000)
  await holdOthers(service, 'provenance_events', "patient_id = 'p7'")
  await service.startWorker({ WORKER_CONCURRENCY: '2' })
  const large = await Promise.all([service.kickOff(), service.kickOff(), service.kickOff()])
  await eventually(async () =>
    (await Promise.all(large.map(async (id) => await findExport(service.db, id)))).some((row) => row?.status === 'in_progress'))
  t.match(await service.run({ requester_role: 'PATIENT', patient_id: 'p7' }), { status: 'completed', exported_resources: 4 })
  const states = await Promise.all(large.map(async (id) => (await findExport(service.db, id))?.status))
  t.same(states.sort(), ['in_progress', 'pending', 'pending'])
  for (const id of large) await cancelExport(service.db, id, 60_000)
})

t.test('a store that is down is waited for, and the export completes when it is back', async (t) => {
  const service = await startWith(t, 2)
  const directory = t.testdirName
  await rename(directory, `${directory}-away`)
  const id = await service.kickOff({ types: ['Patient'] })
  const waiting = await eventually(async () => {
    const row = await findExport(service.db, id)
    return row !== undefined && row.failures > 0 && row
  })
  t.match(waiting, { status: 'in_progress', failures: 1, leased: false })
  t.ok(waiting.failure_reason)
  await rename(`${directory}-away`, directory)
  t.match(await ended(service, id), { status: 'completed', failure_reason: null })
})

t.test('after the last attempt the export fails with a reason that a person understands', async (t) => {
  const service = await startWith(t, 2, { EXPORT_ATTEMPTS: '1' })
  const directory = t.testdirName
  await rename(directory, `${directory}-away`)
  t.match(await service.run({ types: ['Patient'] }), { status: 'failed', failures: 1, failure_reason: /store/ })
  await rename(`${directory}-away`, directory)
})

t.test('a worker refuses to start where an export would be incomplete, and says what is missing', async (t) => {
  await t.test('a column of the source that nobody knows', async (t) => {
    const service = await openService(t)
    await sql`ALTER TABLE source.patients ADD COLUMN gendre text`.execute(service.db)
    await t.rejects(service.startWorker(), { code: 'SOURCE_MISMATCH', message: /patients.*gendre/ })
  })
  await t.test('the grant to see transactions', async (t) => {
    const service = await openService(t)
    const role = `limited_${process.pid}`
    await sql`CREATE ROLE ${sql.id(role)} LOGIN PASSWORD 'limited'`.execute(service.db)
    t.teardown(async () => {
      await sql`DROP OWNED BY ${sql.id(role)}`.execute(service.db)
      await sql`DROP ROLE ${sql.id(role)}`.execute(service.db)
    })
    await sql`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${sql.id(role)}`.execute(service.db)
    const url = new URL(service.environment.DATABASE_URL ?? '')
    url.username = role
    url.password = 'limited'
    await t.rejects(service.startWorker({ DATABASE_URL: url.href }),
      { code: 'GRANT_MISSING', message: /bulk_export_oldest_transaction_as_owner[^]*GRANT pg_read_all_stats/ })
  })
  await t.test('a migration, or one that it does not know', async (t) => {
    const service = await openService(t)
    await sql`INSERT INTO bulk_export_migration (name, timestamp) VALUES ('9999-FromTheFuture', '')`.execute(service.db)
    await t.rejects(service.startWorker(), { code: 'SCHEMA_MISMATCH', message: /newer.*9999-FromTheFuture/ })
    await sql`DELETE FROM bulk_export_migration`.execute(service.db)
    await t.rejects(service.startWorker(), { code: 'SCHEMA_MISMATCH', message: /migrate/ })
  })
})
