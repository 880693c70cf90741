import { pathToFileURL } from 'node:url'
import { findExport } from '@fhir-bulk-export/core/exports'
import { ended, eventually, givenPatients } from '@fhir-bulk-export/core/testing/database'
import { startPostgres } from '@fhir-bulk-export/stack/postgres'
import { startProxy } from '@fhir-bulk-export/stack/proxy'
import t, { type Test } from 'tap'
import { breakAt } from '../src/breakpoint.ts'
import { openSystem } from '../src/system.ts'
import { assertExported, assertNothingLeft, longLease, startExport } from './fixtures/exports.ts'
import { openPostgresPair } from './fixtures/postgres-pair.ts'
import { countParts } from './fixtures/shared-export.ts'

/** Rows are read from a standby that lags, ends queries that are in the way of replay, is promoted, or is no standby at all. */

const patients = 1_000

async function open (t: Test) {
  const pair = await openPostgresPair(t)
  const system = await openSystem(t, { databaseUrl: pair.first, queueUrl: pair.first, storeUrl: pathToFileURL(t.testdir()).href })
  await givenPatients(system.db, patients)
  // Inserted, not written: commits are asynchronous here, so that what was committed may not have been written yet.
  const isReplayed = async () => {
    const rows = await pair.query(pair.first, 'SELECT FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_insert_lsn()')
    return rows.length > 0
  }
  await eventually(isReplayed)
  const configure = async (setting: string) => {
    await pair.query(pair.second, `ALTER SYSTEM SET ${setting}`)
    await pair.query(pair.second, 'SELECT pg_reload_conf()')
  }
  const startWorker = async (overrides = {}) => await system.startWorker({ EXPORT_DATABASE_URL: pair.second, ...overrides })
  /** Where a worker has its snapshot, and has read nothing. */
  const breakpoint = async () => await breakAt(t, pair.first, { when: 'BEFORE INSERT', table: 'bulk_export_files' })
  return { pair, system, configure, isReplayed, startWorker, breakpoint }
}

t.test('the snapshot waits for a standby that lags; the primary reads no row of the source', async (t) => {
  const { pair, system, startWorker } = await open(t)
  const countRead = async () => await pair.query(pair.first,
    "SELECT sum(seq_tup_read) AS rows FROM pg_stat_user_tables WHERE schemaname = 'source'")
  const shared = { EXPORT_PART_BYTES: '64KiB', EXPORT_LEASE: longLease, LOG_LEVEL: 'debug' }
  const workers = [await startWorker(shared), await startWorker(shared)]
  const before = await countRead()
  await pair.query(pair.second, 'SELECT pg_wal_replay_pause()')
  await pair.query(pair.first, "UPDATE source.patients SET gender = 'female'")
  await pair.query(pair.first, "INSERT INTO source.patients (id, gender) VALUES ('late', 'female')")
  const id = await startExport(system)
  await eventually(async () => (await pair.query(pair.first, 'SELECT FROM bulk_export_snapshots')).length > 0)
  t.match(await findExport(system.db, id), { status: 'in_progress', total_resources: 0 })
  await pair.query(pair.second, 'SELECT pg_wal_replay_resume()')

  const row = await ended(system, id)
  t.match(row, { status: 'completed', attempt: 1, total_resources: 4 * patients + 1, exported_resources: 4 * patients + 1 })
  t.ok(workers.reduce((sum, worker) => sum + countParts(worker), 0) > 4, 'in parts')
  const [{ rows }] = before as [{ rows: string }]
  t.same(await countRead(), [{ rows: String(Number(rows) + patients) }], 'the UPDATE has read, and nobody else')
  await assertNothingLeft(t, system)

  await t.test('a server that is no standby of the primary is refused at start and by name', async (t) => {
    const other = await startPostgres({ durable: false })
    t.teardown(other.stop)
    const worker = await startWorker({ EXPORT_DATABASE_URL: other.url })
    t.equal(await worker.ended, 1)
    t.match(worker.lines.join('\n'), /EXPORT_DATABASE_URL is not the database of DATABASE_URL/)
    t.match(await ended(system, await startExport(system)), { status: 'completed', exported_resources: 4 * patients + 1 })
  })
})

t.test('a snapshot that is in the way of replay is ended: the next attempt has another instant, whole', async (t) => {
  const { pair, system, configure, isReplayed, startWorker, breakpoint } = await open(t)
  await configure("max_standby_streaming_delay = '0'")
  const stage = await breakpoint()
  const worker = await startWorker({ EXPORT_ATTEMPTS: '100' })
  const id = await startExport(system)
  await stage.reached()
  for (const table of ['patients', 'medical_records', 'consents', 'provenance_events']) {
    await pair.query(pair.first, `DELETE FROM source.${table} WHERE right(id, 1) = '0'`)
  }
  await pair.query(pair.first, 'BEGIN; LOCK TABLE source.consents IN ACCESS EXCLUSIVE MODE; COMMIT')
  await eventually(isReplayed)
  await configure("max_standby_streaming_delay = '-1'") // or the ledger's own dead rows may end the next one, too
  await stage.release()
  const { attempt, failures } = await assertExported(t, system, id, patients * 0.9)
  t.ok(failures > 0, 'the first attempt ended')
  t.equal(attempt, failures + 1)
  t.equal(worker.lines.filter((line) => line.includes('"level":60')).length, 0)
  await assertNothingLeft(t, system)
})

t.test('a standby that is promoted ends the attempt, and gives none of the next ones a row', async (t) => {
  for (const goesOn of [true, false]) {
    const { pair, system, configure, startWorker, breakpoint } = await open(t)
    await configure('hot_standby_feedback = on')
    await configure("wal_receiver_status_interval = '1s'")
    const address = await startProxy(t, pair.second)
    const stage = await breakpoint()
    const partBytes = goesOn ? '64KiB' : '64MiB' // an export in parts, and one that is not worth it
    await startWorker({ EXPORT_DATABASE_URL: address.url, EXPORT_ATTEMPTS: '2', EXPORT_PART_BYTES: partBytes })
    const id = await startExport(system)
    await stage.reached()
    const fedBack = 'SELECT FROM pg_stat_replication WHERE backend_xmin IS NOT NULL'
    await eventually(async () => (await pair.query(pair.first, fedBack)).length > 0)
    await pair.query(pair.second, 'SELECT pg_promote(wait => false)')
    await eventually(async () => (await pair.query(pair.second, 'SELECT WHERE NOT pg_is_in_recovery()')).length > 0)
    await pair.query(pair.second, "INSERT INTO source.patients (id) VALUES ('of-another-timeline')")
    if (goesOn) address.moveTo(pair.first)
    await stage.release()
    if (goesOn) t.match(await assertExported(t, system, id, patients), { attempt: 2, failures: 1 })
    else t.match(await ended(system, id), { status: 'failed', failure_reason: 'EXPORT_DATABASE_URL is no standby of DATABASE_URL' })
    await assertNothingLeft(t, system)
  }
})
