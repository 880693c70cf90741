import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/db/index.ts'
import {
  beginDownload, cancelExport, claimExport, endDownload, expireExports, findDroppableFiles, forgetDroppedFiles, handOnExport, intendFile,
  judgePin, markFileDropped, publishExport, recordFile, removeExpiredExports, removeStaleDownloads,
} from '../../src/exports/index.ts'
import { claim, givenExport, openTestDatabase } from '../fixtures/database.ts'

async function givenCompletedExport (db: Kysely<Database>) {
  const id = await givenExport(db)
  const ref = { export_id: id, attempt: 1, n: 1 }
  const attempt = await claim(db, id)
  await intendFile(db, { ...ref, list: 'output', type: 'Patient' })
  await recordFile(db, ref, { cid: 'Qm', pin: 'QmRoot', size: 10, sha256: 'ab', count: 1 })
  await publishExport(db, attempt, { files: 1, transactionTime: new Date(), ttlMs: 60_000, progress })
  return ref
}

async function expire (db: Kysely<Database>, id: string) {
  await sql`UPDATE bulk_export_jobs SET expires_at = now() WHERE id = ${id}`.execute(db)
}

const progress = { progress: 99, total_resources: 1, exported_resources: 1 }

t.test('an expired export: its files become droppable, its row goes last', async (t) => {
  const db = await openTestDatabase(t)
  const kept = await givenCompletedExport(db)
  const ref = await givenCompletedExport(db)
  t.equal(await expireExports(db), 0)
  t.same(await findDroppableFiles(db, 10), [])

  await expire(db, ref.export_id)
  t.equal(await expireExports(db), 1)
  t.equal(await removeExpiredExports(db), 0, 'a file is left')
  t.match(await findDroppableFiles(db, 10), [{ ...ref, pin: 'QmRoot' }])
  await markFileDropped(db, ref)
  t.equal(await removeExpiredExports(db), 1)
  t.equal(await removeExpiredExports(db), 0)
  t.equal(await judgePin(db, ref), 'droppable', 'the ledger still knows the file, should a pin turn up')
  t.equal(await judgePin(db, kept), 'published')
  t.equal(await judgePin(db, { ...ref, n: 99 }), 'unknown', 'what the ledger does not know is not ours')

  t.equal(await forgetDroppedFiles(db), 0)
  await sql`UPDATE bulk_export_files SET dropped_at = now() - interval '25 hours' WHERE state = 'dropped'`.execute(db)
  t.equal(await forgetDroppedFiles(db), 1)
})

t.test('files of a cancelled export and of an overtaken attempt are droppable, those of a running one are not', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  const options = { leaseMs: 30_000, maxFailures: 3, ttlMs: 60_000 }
  await claimExport(db, id, options)
  await intendFile(db, { export_id: id, attempt: 1, n: 1, list: 'output', type: 'Patient' })
  t.same(await findDroppableFiles(db, 10), [])
  await handOnExport(db, { id, attempt: 1 })
  t.same(await findDroppableFiles(db, 10), [], 'the next attempt is what overtakes it')
  await claimExport(db, id, options)
  t.match(await findDroppableFiles(db, 10), [{ export_id: id, attempt: 1 }])

  const other = await givenCompletedExport(db)
  await cancelExport(db, other.export_id, 60_000)
  t.match(await findDroppableFiles(db, 10, { exportId: other.export_id }), [other])
})

t.test('a download that has begun keeps the files until its lease is over, and none begins after a cancel', async (t) => {
  const db = await openTestDatabase(t)
  const ref = await givenCompletedExport(db)
  const download = { id: randomUUID(), exportId: ref.export_id }
  t.equal(await beginDownload(db, download, 60_000), true)
  await cancelExport(db, ref.export_id, 60_000)
  t.equal(await beginDownload(db, { ...download, id: randomUUID() }, 60_000), false)
  t.same(await findDroppableFiles(db, 10), [])
  t.equal(await judgePin(db, ref), 'published')
  await endDownload(db, download.id, { bytes: 1, isWhole: true })
  t.match(await findDroppableFiles(db, 10), [ref])
})

t.test('a download whose process died holds nothing beyond its lease', async (t) => {
  const db = await openTestDatabase(t)
  const ref = await givenCompletedExport(db)
  await beginDownload(db, { id: randomUUID(), exportId: ref.export_id }, 0)
  await cancelExport(db, ref.export_id, 60_000)
  t.match(await findDroppableFiles(db, 10), [ref])
  await removeStaleDownloads(db)
  const { rows } = await sql`SELECT FROM bulk_export_downloads`.execute(db)
  t.equal(rows.length, 0)
})

t.test('no download begins of an expired export', async (t) => {
  const db = await openTestDatabase(t)
  const ref = await givenCompletedExport(db)
  await expire(db, ref.export_id)
  t.equal(await beginDownload(db, { id: randomUUID(), exportId: ref.export_id }, 60_000), false)
})
