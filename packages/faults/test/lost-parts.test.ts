import { cancelExport, findExport, mostLosses } from '@fhir-bulk-export/core/exports'
import { ended, eventually } from '@fhir-bulk-export/core/testing/database'
import { sample } from '@fhir-bulk-export/stack/sample'
import { sql, type RawBuilder } from 'kysely'
import t from 'tap'
import { assertAlive } from './fixtures/alive.ts'
import { assertExported, assertNothingLeft, longLease, startExport } from './fixtures/exports.ts'
import { openEmbeddedParts } from './fixtures/parts.ts'
import { countParts, openSharing, patients } from './fixtures/shared-export.ts'

/** How far an export that several workers read goes on, when what they share is lost, taken away or in the way. */

t.jobs = 2

t.test('a part that kills every worker that reads it ends the export, with the reason', { buffered: true }, async (t) => {
  const parts = await openEmbeddedParts(t)
  const { system, startWorker, stopAt, startHelper } = await openSharing(t, parts, { EXPORT_ATTEMPTS: '1' })
  await stopAt(t, 'holder', 'in mid-file') // in a statement that may take any time
  const holder = await startWorker('holder', { EXPORT_LEASE: longLease })
  const id = await startExport(system)
  const findParts = async (condition: RawBuilder<unknown>) =>
    (await sql`SELECT FROM bulk_export_parts WHERE state = 'reading' AND ${condition}`.execute(system.db)).rows.length > 0
  await eventually(async () => await findParts(sql`part #>> '{items,0,type}' = 'DocumentReference'`))
  for (let losses = 0; losses < mostLosses; losses++) {
    if (losses > 0) await eventually(async () => await findParts(sql`available_at < now()`))
    const { helper, helping } = await startHelper(await stopAt(t, 'helper', 'recorded, the part not finished'))
    await helper.end('SIGKILL')
    await helping.lose()
  }
  t.match(await ended(system, id), {
    status: 'failed', attempt: 1, failures: 1, failure_reason: `${mostLosses} workers read the same part, and stopped without a word`,
  })
  await assertAlive(t, holder)
  await startWorker('another') // what was pinned and not written down is found by the cleanup, with which a worker begins
  await assertNothingLeft(t, system)
})

t.test('a worker whose threads are all at work leaves parts to the others', { buffered: true }, async (t) => {
  const parts = await openEmbeddedParts(t)
  const { system, startWorker, stopAt } = await openSharing(t, parts, { EXPORT_LEASE: longLease })
  const stopping = await stopAt(t, 'busy', 'a part taken, nothing stored')
  const busy = await startWorker('busy', { EXPORT_PART_BYTES: '64MiB', WORKER_CONCURRENCY: '1' }) // its export is its own
  const own = await startExport(system)
  await stopping.reached()
  const other = await startWorker('other')
  t.match(await assertExported(t, system, await startExport(system), patients), { attempt: 1, failures: 0 })
  t.ok(countParts(other) > 1)
  await stopping.release()
  t.match(await assertExported(t, system, own, patients), { attempt: 1, failures: 0 })
  await assertAlive(t, busy, other)
})

t.test('DELETE while another worker writes: nothing of the export stays', { buffered: true }, async (t) => {
  const { system, startWorker, shareExport } = await openSharing(t, await openEmbeddedParts(t), { EXPORT_LEASE: longLease })
  const holder = await startWorker('holder')
  const stages = ['taking a part', 'a part taken, nothing stored', 'recorded, the part not finished', 'in mid-file'] as const
  for (const stage of sample('DELETE of a shared export', 1, stages)) {
    const { id, helper, holding, helping } = await shareExport(t, stage)
    t.equal(await cancelExport(system.db, id, 60_000), true)
    await helping.release()
    await holding.release()
    t.match(await findExport(system.db, id), { status: 'cancelled' })
    await assertNothingLeft(t, system)
    t.match(await assertExported(t, system, await startExport(system), patients), { attempt: 1, failures: 0 })
    await assertAlive(t, holder, helper)
    t.equal(await helper.end('SIGTERM'), 0)
  }
})

t.test("the snapshot's own connection breaks: a new attempt, on a new snapshot", { buffered: true }, async (t) => {
  const { system, startWorker, shareExport } = await openSharing(t, await openEmbeddedParts(t), { EXPORT_LEASE: longLease })
  const holder = await startWorker('holder')
  const { id, helper, holding, helping } = await shareExport(t, 'a part taken, nothing stored')
  await sql`SELECT pg_terminate_backend((task #>> '{snapshot,pid}')::int) FROM bulk_export_snapshots`.execute(system.db)
  await holding.release()
  await eventually(async () => (await findExport(system.db, id))?.failures === 1)
  await helping.release()
  t.match(await assertExported(t, system, id, patients), { attempt: 2, failures: 1 })
  await assertAlive(t, holder, helper)
  await assertNothingLeft(t, system)
})

t.test('the worker that has the snapshot is told to stop: a new attempt, and no failure is counted', { buffered: true }, async (t) => {
  const { system, startWorker, shareExport } = await openSharing(t, await openEmbeddedParts(t), { EXPORT_LEASE: longLease })
  const holder = await startWorker('holder')
  const { id, helper, holding, helping } = await shareExport(t, 'in mid-file')
  holder.kill('SIGTERM')
  await holding.release()
  t.equal(await holder.ended, 0)
  await helping.release()
  t.match(await assertExported(t, system, id, patients), { attempt: 2, failures: 0 })
  await assertAlive(t, helper)
  await assertNothingLeft(t, system)
})

t.test('what is written after the snapshot is in no part, whoever reads it and when', { buffered: true }, async (t) => {
  const { system, startWorker, shareExport } = await openSharing(t, await openEmbeddedParts(t))
  await startWorker('holder', { EXPORT_LEASE: longLease })
  const { id, holding, helping } = await shareExport(t, 'taking a part')
  await sql`INSERT INTO source.patients (id) VALUES ('late'), ('later')`.execute(system.db)
  await sql`UPDATE source.consents SET decision = 'deny'`.execute(system.db) // into other blocks
  await sql`DELETE FROM source.provenance_events WHERE id IN ('e1', 'e2', 'e3')`.execute(system.db)
  await helping.release()
  await holding.release()
  t.match(await assertExported(t, system, id, patients), { attempt: 1, failures: 0 })
})
