import { snapshotApplicationName } from '@fhir-bulk-export/core/db'
import { parseTypeFilter } from '@fhir-bulk-export/core/search'
import { createTestDatabase } from '@fhir-bulk-export/stack/testing'
import { eventually, openPool } from '@fhir-bulk-export/core/testing/database'
import t from 'tap'
import { joinSnapshot, openSnapshot } from '../../src/source/snapshot.ts'
import { toCountQuery } from '../../src/source/queries.ts'
import { filterOf } from '../fixtures/filter.ts'

const countPatients = 'SELECT count(*) FROM source.patients'
const noFilter = filterOf()

t.test('a row stamped before the snapshot and committed after it is later than transactionTime', async (t) => {
  const url = await createTestDatabase(t)
  const pool = openPool(t, url, { applicationName: snapshotApplicationName })
  const writers = openPool(t, url, { applicationName: 'writer' })

  const writer = await writers.connect()
  await writer.query('BEGIN')
  await writer.query("INSERT INTO source.patients (id) VALUES ('late')")
  const snapshot = await openSnapshot(pool, noFilter, 0)
  await writer.query('COMMIT')
  writer.release()

  t.equal(await snapshot.count(countPatients, 'source.patients'), 0, 'the snapshot does not have it')
  snapshot.close()
  const { rows: [late] } = await writers.query("SELECT updated_at > $1 AS found FROM source.patients WHERE id = 'late'",
    [snapshot.transactionTime])
  t.same(late, { found: true }, 'and _since = transactionTime finds it')
})

t.test('every statement of a snapshot sees the same instant', async (t) => {
  const pool = openPool(t, await createTestDatabase(t), { applicationName: snapshotApplicationName })
  const snapshot = await openSnapshot(pool, noFilter, 0)
  await pool.query("INSERT INTO source.patients (id) VALUES ('p1')")
  t.equal(await snapshot.count(countPatients, 'source.patients'), 0)
  await t.rejects(snapshot.count("INSERT INTO source.patients (id) VALUES ('p2') RETURNING 1", 'source.patients'),
    { code: 'SOURCE_FAILED', cause: { code: '25006' } }, 'and writes nothing')
  snapshot.close()
})

t.test('a filter that was not given is an error where the SQL asks for it', async (t) => {
  const pool = openPool(t, await createTestDatabase(t), { applicationName: snapshotApplicationName })
  const snapshot = await openSnapshot(pool, noFilter, 0)
  snapshot.close()
  await pool.query("INSERT INTO source.patients (id) VALUES ('p1')")
  const filters = [{ patientId: 'p1' }, { patientIds: [] }, { groupId: 'g1' }, { since: new Date().toISOString() },
    { until: new Date().toISOString() }, { typeFilters: [parseTypeFilter('Patient?gender=male')] }]
  for (const filter of filters) {
    const snapshot = await openSnapshot(pool, noFilter, 0)
    await t.rejects(snapshot.count(toCountQuery('Patient', filterOf(filter), snapshot.source), 'source.patients'),
      { cause: { code: '42704' } }, Object.keys(filter).join())
    snapshot.close()
  }
})

t.test('whoever waits for a table that somebody else has locked can be stopped', async (t) => {
  const url = await createTestDatabase(t)
  const pool = openPool(t, url, { applicationName: snapshotApplicationName })
  const others = openPool(t, url, { applicationName: 'other' })
  const locker = await others.connect()
  await locker.query('BEGIN; LOCK TABLE source.consents IN ACCESS EXCLUSIVE MODE')
  const controller = new AbortController()
  const opening = t.rejects(openSnapshot(pool, noFilter, 0, controller.signal))
  const waiting = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
  while ((await others.query(waiting)).rows[0].n === 0) ;
  controller.abort()
  await opening
  t.equal(pool.totalCount, 0, 'and keeps no session')
  await locker.query('ROLLBACK')
  locker.release()
})

t.test('closing in the middle of a COPY frees the backend', async (t) => {
  const url = await createTestDatabase(t)
  const pool = openPool(t, url, { applicationName: snapshotApplicationName })
  const observer = openPool(t, url, { applicationName: 'observer' })
  const snapshot = await openSnapshot(pool, noFilter, 0)
  const rows = snapshot.copy('COPY (SELECT * FROM generate_series(1, 100000000)) TO STDOUT', 'numbers')[Symbol.asyncIterator]()
  await rows.next()
  snapshot.close()
  await t.rejects((async () => { for (;;) if ((await rows.next()).done) return })())
  for (;;) {
    const { rows: [row] } = await observer.query(
      'SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1', [snapshotApplicationName]
    )
    if (row.n === 0) break
  }
  t.pass('no session holds the snapshot any more')
})

t.test('nobody truncates or rewrites a table under a snapshot that has not read it yet', async (t) => {
  const url = await createTestDatabase(t)
  const pool = openPool(t, url, { applicationName: snapshotApplicationName })
  const others = openPool(t, url, { applicationName: 'other', max: 1 })
  await others.query("INSERT INTO source.consents (id, patient_id) VALUES ('c1', 'p1')")
  await others.query("SET lock_timeout = '100ms'")
  const snapshot = await openSnapshot(pool, noFilter, 0)
  await t.rejects(others.query('TRUNCATE source.consents'), { code: '55P03' }) // lock_not_available
  await others.query("INSERT INTO source.consents (id, patient_id) VALUES ('c2', 'p1')")
  t.equal(await snapshot.count('SELECT count(*) FROM source.consents', 'source.consents'), 1)
  snapshot.close()
})

t.test('a change that waits for a snapshot does not keep its readers for ever', async (t) => {
  const url = await createTestDatabase(t)
  const pool = openPool(t, url, { applicationName: snapshotApplicationName })
  const others = openPool(t, url, { applicationName: 'other' })
  await others.query("INSERT INTO source.consents (id, patient_id) VALUES ('c1', 'p1')")
  const snapshot = await openSnapshot(pool, noFilter, 0)
  t.teardown(snapshot.close)
  const changed = others.query('ALTER TABLE source.consents ADD COLUMN more text')
  const waiting = 'SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())'
  await eventually(async () => (await others.query(waiting)).rowCount === 1)
  const reader = await joinSnapshot(pool, noFilter, snapshot.source, snapshot.ref, undefined, 100)
  await t.rejects(reader.count('SELECT count(*) FROM source.consents', 'source.consents'), {
    code: 'SOURCE_FAILED', message: 'source.consents is locked, or somebody waits to change it (SQLSTATE 55P03)',
  })
  reader.close()
  snapshot.close()
  await t.resolves(changed, 'and then it is made')
})

t.test('what takes PostgreSQL too long to plan is given up before a row is read; reading has no such limit', async (t) => {
  const pool = openPool(t, await createTestDatabase(t), { applicationName: snapshotApplicationName })
  // The planner runs it, since its result can be no other.
  await pool.query(
    "CREATE FUNCTION ponder() RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3600); RETURN true; END'"
  )
  const snapshot = await openSnapshot(pool, noFilter, 0)
  await snapshot.plan(countPatients, 'source.patients')
  t.equal(await snapshot.count("SELECT (current_setting('statement_timeout') = '0')::integer AS count", 'source.patients'), 1)
  await t.rejects(snapshot.plan(`${countPatients} WHERE ponder()`, 'source.patients', 50),
    { code: 'EXPORT_FAILED', message: /^PostgreSQL took more than 0\.05 s to plan what _typeFilter asks for$/ })
  snapshot.close()
})
