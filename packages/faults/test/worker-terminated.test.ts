import { findExport } from '@fhir-bulk-export/core/exports'
import { eventually } from '@fhir-bulk-export/core/testing/database'
import { startWorker as startWorkerScript } from '@fhir-bulk-export/stack/commands'
import { sample } from '@fhir-bulk-export/stack/sample'
import { sql } from 'kysely'
import t from 'tap'
import { openSystem } from '../src/system.ts'
import { assertExported, assertNothingLeft, longLease } from './fixtures/exports.ts'
import { allParts, openEmbeddedParts } from './fixtures/parts.ts'
import { patients, stages } from './fixtures/stages.ts'
import { openStoppableSystem } from './fixtures/stopped-export.ts'

/** SIGTERM in every place, as in a rolling restart: what the worker is in the middle of goes on, and then it ends by itself. */

t.jobs = 2

for (const { name, open, skip } of allParts) {
  t.test(name, { skip, buffered: true }, async (t) => {
    const { system, stopExportAt } = await openStoppableSystem(t, await open(t))
    const startWorker = async () => await system.startWorker({ EXPORT_LEASE: longLease })
    let worker = await startWorker()
    for (const [stage, breakIn] of sample(`terminated ${name}`, 1, Object.entries(stages))) {
      await t.test(`told to stop while ${stage}`, async (t) => {
        const { breakpoint, id } = await stopExportAt(t, breakIn)
        worker.kill('SIGTERM')
        await breakpoint.release()
        t.equal(await worker.ended, 0)
        t.match(await findExport(system.db, id), { failures: 0, leased: false }, 'nobody has to wait for a lease')
        worker = await startWorker()
        const { failures } = await assertExported(t, system, id, patients)
        t.equal(failures, 0)
        await assertNothingLeft(t, system)
      })
    }
  })
}

t.test('told to stop while it starts: it ends by itself, as any other', async (t) => {
  const { databaseUrl, queueUrl, storeUrl } = await openEmbeddedParts(t)
  const { db } = await openSystem(t, { databaseUrl, queueUrl, storeUrl })
  const worker = await startWorkerScript({ env: { DATABASE_URL: databaseUrl, QUEUE_URL: queueUrl, IPFS_URL: storeUrl } })
  t.teardown(worker.stop)
  t.ok(await eventually(async () => {
    const { rows: [found] } = await sql<{ sessions: number }>`SELECT count(*) AS sessions FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'fhir-bulk-export-%' AND application_name <> 'fhir-bulk-export-watch'
    `.execute(db)
    return (found?.sessions ?? 0) > 0
  }))
  process.kill(worker.pid, 'SIGTERM')
  t.match(await worker.ended, { code: 0 })
})
