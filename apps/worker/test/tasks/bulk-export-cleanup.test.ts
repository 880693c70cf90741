import { findExport } from '@fhir-bulk-export/core/exports'
import { toFileKey } from '@fhir-bulk-export/core/store'
import { givenPatients } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { runBulkExportCleanup } from '../../src/tasks/bulk-export-cleanup.task.ts'
import { dropOrphans } from '../../src/tasks/sweep.ts'
import { ended, keptKeys, log, openService } from '../fixtures/service.ts'

async function * bytes () { yield Buffer.from('{}\n') }

t.test('expired exports go, with their files; others stay', async (t) => {
  const service = await openService(t)
  await givenPatients(service.db, 2)
  const worker = await service.startWorker()
  const [expired, kept] = [await service.kickOff({ types: ['Patient'] }), await service.kickOff({ types: ['Patient'] })]
  await ended(service.db, expired)
  await ended(service.db, kept)
  await worker.close()

  const resources = { db: service.db, store: service.store, log }
  await runBulkExportCleanup(resources)
  t.equal((await keptKeys(service.store)).length, 2)
  await sql`UPDATE bulk_export_jobs SET expires_at = now() WHERE id = ${expired}`.execute(service.db)
  await Promise.all([runBulkExportCleanup(resources), runBulkExportCleanup(resources)])
  await runBulkExportCleanup(resources)
  t.same(await keptKeys(service.store), [toFileKey({ export_id: kept, attempt: 1, n: 1 })])
  const { rows } = await sql`SELECT id FROM bulk_export_jobs`.execute(service.db)
  t.same(rows, [{ id: kept }])
})

t.test('what was stored and never written down is found and dropped; what is not ours stays', async (t) => {
  const service = await openService(t)
  await givenPatients(service.db, 2)
  const worker = await service.startWorker()
  const id = await service.kickOff({ types: ['Patient'] })
  await ended(service.db, id)
  await worker.close()

  await sql`INSERT INTO bulk_export_files (export_id, attempt, n, list, type) VALUES (${id}, 0, 1, 'output', 'Patient')`.execute(service.db)
  const orphan = toFileKey({ export_id: id, attempt: 0, n: 1 })
  const foreign = toFileKey({ export_id: '00000000-0000-4000-8000-000000000000', attempt: 1, n: 1 })
  await service.store.put(orphan, bytes())
  await service.store.put(foreign, bytes())
  await dropOrphans({ db: service.db, store: service.store, log })
  t.same(await keptKeys(service.store), [foreign, toFileKey({ export_id: id, attempt: 1, n: 1 })].sort())

  // A worker that was paused for long may store its file after the sweep: the ledger still knows the key.
  await service.store.put(orphan, bytes())
  await dropOrphans({ db: service.db, store: service.store, log })
  t.equal((await keptKeys(service.store)).includes(orphan), false)
  t.match(await findExport(service.db, id), { status: 'completed' })
})
