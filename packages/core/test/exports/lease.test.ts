import { type Kysely, sql } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/db/index.ts'
import {
  cancelExport, claimExport, failExport, findExport, findPublishedFiles, findWaitingExports, handOnExport, intendFile,
  publishExport, recordFile, renewLease, retryExport,
} from '../../src/exports/index.ts'
import { claim, givenExport, lease, openTestDatabase } from '../fixtures/database.ts'

const progress = { progress: 40, total_resources: 100, exported_resources: 40 }
const content = { cid: 'Qm', pin: null, size: 10, sha256: 'ab', count: 2 }

async function letLeaseRunOut (db: Kysely<Database>, id: string) {
  await sql`UPDATE bulk_export_jobs SET available_at = now() - interval '1 ms' WHERE id = ${id}`.execute(db)
}

t.test('a pending export is claimed once', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  const claims = await Promise.all(Array.from({ length: 8 }, async () => await claimExport(db, id, lease)))
  t.equal(claims.filter(({ outcome }) => outcome === 'claimed').length, 1)
  t.equal(claims.filter(({ outcome }) => outcome === 'busy').length, 7)
  const row = await findExport(db, id)
  t.match(row, { status: 'in_progress', attempt: 1, failures: 0, leased: true })
})

t.test('what is not there or has ended is over', async (t) => {
  const db = await openTestDatabase(t)
  t.match(await claimExport(db, '8b9e2ad8-1f5c-4b0a-9a53-0e6f2d1c7a11', lease), { outcome: 'over' })
  const id = await givenExport(db)
  await cancelExport(db, id, 60_000)
  t.match(await claimExport(db, id, lease), { outcome: 'over' })
  t.match(await findExport(db, id), { status: 'cancelled', attempt: 0 })
})

t.test('a lease that ran out is taken over, counts as a failure, and fences its former holder', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  const first = await claim(db, id)
  await letLeaseRunOut(db, id)
  const second = await claim(db, id)
  t.match(second, { attempt: 2, failures: 1 })

  t.equal(await renewLease(db, first, 30_000, progress), 'lost')
  t.equal(await handOnExport(db, first), false)
  t.equal(await retryExport(db, first, 'late', 0), false)
  t.equal(await failExport(db, first, 'late', 60_000), false)
  t.equal(await publishExport(db, first, { files: 0, transactionTime: new Date(), ttlMs: 60_000, progress }), false)
  t.equal(await intendFile(db, { export_id: id, attempt: 1, n: 1, list: 'output', type: 'Patient' }), false)
  t.match(await findExport(db, id), { status: 'in_progress', attempt: 2, progress: 0, failure_reason: null })
})

t.test('a lease that ran out once too often fails the export', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  for (let attempt = 1; attempt <= 3; attempt++) {
    t.equal((await claim(db, id)).attempt, attempt)
    await letLeaseRunOut(db, id)
  }
  t.match(await claimExport(db, id, lease), { outcome: 'over' })
  t.match(await findExport(db, id), { status: 'failed', attempt: 3, failures: 3, failure_reason: /stopped without a word/, leased: false })
})

t.test('an export that is handed on keeps its failures and is free at once', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  for (let restart = 1; restart <= 5; restart++) {
    const attempt = await claim(db, id)
    t.equal(await handOnExport(db, attempt), true)
    t.same(await findWaitingExports(db, 10), [id])
  }
  t.match(await findExport(db, id), { status: 'in_progress', attempt: 5, failures: 0 })
})

t.test('a new export is left to its kick-off for a moment', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  await db.transaction().execute(async (trx) => { // in which now() stands still
    for (const [age, waiting] of [['0', []], ['2 s', [id]]] as const) {
      await trx.updateTable('bulk_export_jobs').set('available_at', sql<Date>`now() - ${age}::interval`).execute()
      t.same(await findWaitingExports(trx, 10), waiting)
    }
  })
})

t.test('a retry waits for its backoff, which is not a lease that ran out', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  t.equal(await retryExport(db, await claim(db, id), 'the store was down', 60_000), true)
  t.match(await claimExport(db, id, lease), { outcome: 'busy' })
  t.same(await findWaitingExports(db, 10), [])
  await letLeaseRunOut(db, id)
  t.match(await claim(db, id), { attempt: 2, failures: 1, failure_reason: 'the store was down' })
})

t.test('a heartbeat renews the lease and tells the progress', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  const attempt = await claim(db, id)
  t.equal(await renewLease(db, attempt, 300_000, progress), 'held')
  const row = await findExport(db, id)
  t.match(row, progress)
  t.ok(row !== undefined && row.available_at > attempt.available_at)
})

t.test('a heartbeat hears of a cancel', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  const attempt = await claim(db, id)
  t.equal(await cancelExport(db, id, 60_000), true)
  t.equal(await renewLease(db, attempt, 30_000, progress), 'cancelled')
  t.equal(await publishExport(db, attempt, { files: 0, transactionTime: new Date(), ttlMs: 60_000, progress }), false)
  t.match(await findExport(db, id), { status: 'cancelled' })
})

t.test('publishing makes exactly the stored files of the attempt the manifest', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  const file = { export_id: id, list: 'output', type: 'Patient' } as const
  const lost = await claim(db, id)
  await intendFile(db, { ...file, attempt: 1, n: 1 })
  await recordFile(db, { export_id: id, attempt: 1, n: 1 }, { ...content, cid: 'QmLost' })
  await handOnExport(db, lost)

  const attempt = await claim(db, id)
  t.equal(await intendFile(db, { ...file, attempt: 2, n: 1 }), true)
  const publish = async () => await publishExport(db, attempt, {
    files: 1, transactionTime: new Date('2024-01-01'), ttlMs: 60_000,
    progress
  })
  await t.rejects(publish(), /0 stored files/, 'a file that is not recorded is not published')
  t.match(await findExport(db, id), { status: 'in_progress' })

  t.equal(await recordFile(db, { export_id: id, attempt: 1, n: 1 }, content), false, 'of a lost attempt')
  t.equal(await recordFile(db, { export_id: id, attempt: 2, n: 1 }, { ...content, cid: 'QmKept' }), true)
  t.equal(await publish(), true)
  t.equal(await publish(), false, 'once')
  t.match(await findPublishedFiles(db, id), [{ cid: 'QmKept', attempt: 2 }])
  t.match(await findExport(db, id), { status: 'completed', progress: 100, transaction_time: new Date('2024-01-01'), leased: false })
})

t.test('a failed export stays failed', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  t.equal(await failExport(db, await claim(db, id), 'a reason', 60_000), true)
  t.equal(await cancelExport(db, id, 60_000), true, 'is marked dropped')
  t.equal(await cancelExport(db, id, 60_000), false, 'once')
  const row = await findExport(db, id)
  t.match(row, { status: 'failed', failure_reason: 'a reason', failures: 1 })
  t.ok(row?.dropped_at)
})
