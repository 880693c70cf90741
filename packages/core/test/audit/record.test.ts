import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import t from 'tap'
import { findAudit, keepAudit, recordAudit } from '../../src/audit/index.ts'
import type { Database } from '../../src/db/index.ts'
import {
  beginDownload, cancelExport, claimExport, createExport, endDownload, expireExports, failExport, publishExport, removeStaleDownloads,
} from '../../src/exports/index.ts'
import { claim, givenExport, lease, openTestDatabase } from '../fixtures/database.ts'

const progress = { progress: 99, total_resources: 0, exported_resources: 0 }
const by = {
  requester: 'r', role: 'ADMIN', issuer: 'https://issuer.example.org', subject: 'me', client_id: 'client', address: '192.0.2.1',
  request_id: 'x'
} as const
const always = { since: new Date(0), until: new Date('2999-01-01') }
const dayMs = 86_400_000

async function recorded (db: Kysely<Database>, exportId?: string) {
  return await Array.fromAsync(findAudit(db, { ...always, exportId }))
}

async function complete (db: Kysely<Database>, id: string) {
  await publishExport(db, await claim(db, id), { files: 0, transactionTime: new Date(), ttlMs: 60_000, progress })
}

t.test('each change of an export is a row: what, who, and on whose behalf', async (t) => {
  const db = await openTestDatabase(t)
  const id = randomUUID()
  const { requester, role: _, issuer, ...from } = by
  await createExport(db, {
    id, profile: 'respond-async', level: 'patient', request: '/secret', requester, requester_role: 'PATIENT', issuer,
    patient_id: 'pat-1', types: ['Patient', 'Consent']
  }, { maxActive: 9, maxPerMinute: 9 }, from)
  await complete(db, id)
  await cancelExport(db, id, 60_000, by)
  const rows = await recorded(db, id)
  t.match(rows, [
    {
      event: 'requested', process: 'api', outcome: 'success', level: 'patient', types: ['Patient', 'Consent'], role: 'PATIENT',
      patient_id: 'pat-1', ...from, requester
    },
    {
      event: 'started', process: 'worker', attempt: 1, role: 'PATIENT', requester, issuer, patient_id: 'pat-1', subject: null,
      address: null
    },
    { event: 'completed', process: 'worker' },
    { event: 'deleted', process: 'api', ...by, patient_id: null },
  ].sort((a, b) => rows.findIndex(({ event }) => event === a.event) - rows.findIndex(({ event }) => event === b.event)))
  t.equal(rows.length, 4)
  t.notMatch(JSON.stringify(rows), /secret/)
})

t.test('a change that does not happen is not written down, and one that is taken back neither', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  const attempt = await claim(db, id)
  await cancelExport(db, id, 60_000, by)
  t.equal(await cancelExport(db, id, 60_000, by), false)
  t.equal(await failExport(db, attempt, 'late', 60_000), false)
  t.equal(await publishExport(db, attempt, { files: 0, transactionTime: new Date(), ttlMs: 60_000, progress }), false)
  t.match(new Set((await recorded(db, id)).map(({ event }) => event)), new Set(['requested', 'started', 'cancelled']))
  const other = await givenExport(db)
  await t.rejects(publishExport(db, await claim(db, other), { files: 3, transactionTime: new Date(), ttlMs: 60_000, progress }),
    /the ledger holds 0/)
  t.same(new Set((await recorded(db, other)).map(({ event }) => event)), new Set(['requested', 'started']))
  const full = { maxActive: 0, maxPerMinute: 9 }
  const refused = randomUUID()
  await createExport(db,
    { id: refused, profile: 'respond-async', request: '', requester: 'r', requester_role: 'ADMIN', issuer: '', types: [] }, full)
  t.same(await recorded(db, refused), [])
})

t.test('how an export ends: failed with its reason, expired, and deleted once it has failed', async (t) => {
  const db = await openTestDatabase(t)
  const failed = await givenExport(db)
  await failExport(db, await claim(db, failed), 'the source lacks a column', 60_000)
  await cancelExport(db, failed, 60_000, by)
  t.match((await recorded(db, failed)).filter(({ event }) => event === 'failed' || event === 'deleted').sort((a, b) =>
    a.event.localeCompare(b.event)), [
    { event: 'deleted', ...by }, { event: 'failed', outcome: 'failure', detail: 'the source lacks a column' },
  ])
  const abandoned = await givenExport(db)
  await claim(db, abandoned)
  await sql`UPDATE bulk_export_jobs SET available_at = now() - interval '1 s', failures = 2 WHERE id = ${abandoned}`.execute(db)
  t.match(await claimExport(db, abandoned, lease), { outcome: 'over' })
  t.match((await recorded(db, abandoned)).find(({ event }) => event === 'failed'), { detail: /stopped without a word/ })
  const expired = await givenExport(db)
  await complete(db, expired)
  await sql`UPDATE bulk_export_jobs SET expires_at = now() WHERE id = ${expired}`.execute(db)
  await Promise.all([expireExports(db), expireExports(db)])
  t.equal((await recorded(db, expired)).filter(({ event }) => event === 'expired').length, 1)
})

t.test('a download is written down at its end, once, whoever ends it', async (t) => {
  const db = await openTestDatabase(t)
  const exportId = await givenExport(db)
  await complete(db, exportId)
  const download = { exportId, fileName: 'Patient.1.ndjson', by }
  const downloads = async () => (await recorded(db, exportId)).filter(({ event }) => event === 'downloaded')
  const [whole, broken, lost] = [randomUUID(), randomUUID(), randomUUID()]
  for (const id of [whole, broken]) await beginDownload(db, { ...download, id }, 60_000)
  await beginDownload(db, { ...download, id: lost }, 0)
  t.same(await downloads(), [])
  await endDownload(db, whole, { bytes: 10, isWhole: true })
  await Promise.all([endDownload(db, broken, { bytes: 4, isWhole: false }), endDownload(db, broken, { bytes: 4, isWhole: false })])
  await Promise.all([removeStaleDownloads(db), removeStaleDownloads(db)])
  const rows = await downloads()
  t.match(rows.sort((a, b) => Number(b.bytes) - Number(a.bytes)), [
    { ...by, file_name: 'Patient.1.ndjson', bytes: 10, outcome: 'success', detail: null, process: 'api' },
    { bytes: 4, outcome: 'failure', detail: 'broken off' },
    { ...by, bytes: null, outcome: 'failure', process: 'worker' },
  ])
  t.equal(rows.length, 3)
  t.same(await db.selectFrom('bulk_export_downloads').selectAll().execute(), [])
})

t.test('rows are only ever added, also by the owner of the table', async (t) => {
  const db = await openTestDatabase(t)
  await givenExport(db)
  const { rows: [partition] } = await sql<{ name: string }>`SELECT tableoid::regclass::text AS name FROM bulk_export_audit`.execute(db)
  for (const table of ['bulk_export_audit', partition?.name ?? '']) {
    for (const statement of [`UPDATE ${table} SET detail = 'x'`, `DELETE FROM ${table}`,
      `TRUNCATE ${table}`]) await t.rejects(sql.raw(statement).execute(db), { code: '23001' }, statement)
  }
  t.equal((await recorded(db)).length, 1)
})

t.test('months are made a year ahead and dropped whole after the retention, never those of a month', async (t) => {
  const db = await openTestDatabase(t)
  const months = async () =>
    (await sql<{ name: string }>`SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'bulk_export_audit'::regclass ORDER BY 1`.execute(db)).rows.map(({ name }) => name)
  const ahead = await months()
  t.equal(ahead.length, 13)
  t.equal(ahead[0], `audit_${new Date().toISOString().slice(0, 7).replace('-', '_')}`)
  await sql`DROP TABLE fhir_bulk_export.${sql.raw(ahead[5] ?? '')}`.execute(db)
  for (const month of ['2015-02', '2019-12', '2020-01']) {
    const [year, number] = month.split('-').map(Number)
    const next = new Date(Date.UTC(Number(year), Number(number))).toISOString()
    await sql`CREATE TABLE fhir_bulk_export.${sql.raw(`audit_${month.replace('-', '_')}`)} PARTITION OF bulk_export_audit FOR VALUES FROM
      (${sql.lit(`${month}-01T00:00:00Z`)}) TO (${sql.lit(next)})`.execute(db)
    await recordAudit(db, [{
      event: 'requested', outcome: 'success', process: 'api', recorded_at: new Date(`${month}-28T00:00:00Z`),
      detail: month
    }])
  }
  const since2020 = Date.now() - new Date('2020-01-01T12:00:00Z').getTime()
  t.equal(await keepAudit(db, since2020), 2, 'the months that ended before')
  t.same((await recorded(db)).map(({ detail }) => detail), ['2020-01'])
  t.same(await months(), ['audit_2020_01', ...ahead], 'what was missing is there again')
  t.equal(await keepAudit(db, 0), 1)
  t.same(await months(), ahead, 'a slip of the pen costs no month that is not over for 31 days')
  t.equal(await keepAudit(db, 2_192 * dayMs), 0)
})

t.test('it is read by time, export and client, in pages', async (t) => {
  const db = await openTestDatabase(t)
  const [one, two] = [randomUUID(), randomUUID()]
  await sql`INSERT INTO bulk_export_audit (event, outcome, process, recorded_at, export_id, client_id)
    SELECT 'requested', 'success', 'api', date_trunc('hour', now()) + n / 500 * interval '1 ms' + n * interval '1 us', CASE n % 2
      WHEN 0 THEN ${one}::uuid ELSE ${two}::uuid END, 'client-' || n % 3 FROM generate_series(1, 2501) AS n`.execute(db)
  const rows = await recorded(db)
  t.equal(new Set(rows.map(({ id }) => id)).size, 2_501)
  t.equal(rows.length, 2_501)
  t.ok(rows.every((row, i) => i === 0 || row.recorded_at >= rows[i - 1]!.recorded_at))
  t.equal((await recorded(db, two)).length, 1_251)
  t.equal((await Array.fromAsync(findAudit(db, { ...always, clientId: 'client-1', exportId: one }))).length, 417)
  const start = new Date(Math.floor((rows[0]?.recorded_at.getTime() ?? 0) / 3_600_000) * 3_600_000)
  t.equal((await Array.fromAsync(findAudit(db, { since: new Date(start.getTime() + 6), until: always.until }))).length,
    rows.filter(({ recorded_at: at }) => at.getTime() >= start.getTime() + 6).length)
  t.equal((await Array.fromAsync(findAudit(db, { since: always.since, until: start }))).length, 0)
})
