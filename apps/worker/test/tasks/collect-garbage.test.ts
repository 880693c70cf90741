import { cancelExport } from '@fhir-bulk-export/core/exports'
import { ended } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { runBulkExportCleanup } from '../../src/tasks/bulk-export-cleanup.task.ts'
import { log, openWith } from '../fixtures/service.ts'

t.test('garbage is collected once after something was dropped; where that fails the next cleanup tries again', async (t) => {
  const service = await openWith(t, 2)
  const worker = await service.startWorker()
  const id = await service.kickOff({ types: ['Patient'] })
  await ended(service, id)
  await worker.close()

  let collections = 0
  let isBroken = true
  const collectGarbage = async () => {
    collections++
    if (isBroken) throw new Error('the node was not done in time')
  }
  const cleanUp = async () => { await runBulkExportCleanup({ db: service.db, store: { ...service.store, collectGarbage }, log }) }
  await cleanUp()
  t.equal(collections, 0, 'nothing was dropped')
  await cancelExport(service.db, id, 60_000)
  await Promise.all([cleanUp(), cleanUp()])
  t.ok(collections >= 1)
  const before = collections
  isBroken = false
  await cleanUp()
  t.equal(collections, before + 1, 'tried again')
  await cleanUp()
  t.equal(collections, before + 1, 'done')
  // As if a worker had died in the middle of it: the ledger takes it for done.
  await sql`UPDATE bulk_export_files SET dropped_at = now() - interval '25 hours'`.execute(service.db)
  await cleanUp()
  t.equal(collections, before + 2, 'once more before the ledger forgets them')
})
