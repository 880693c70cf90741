import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { cancelExport, createExport, findExport, findKickOffExcess, publishExport } from '../../src/exports/index.ts'
import { claim, givenExport, openTestDatabase } from '../fixtures/database.ts'

const progress = { progress: 99, total_resources: 1, exported_resources: 1 }

t.test('simultaneous kick-offs of one requester never pass the limit, and none below it is lost', async (t) => {
  const db = await openTestDatabase(t)
  const kickOff = async (requester: string) => await createExport(db, {
    id: randomUUID(),
    profile: 'respond-async',
    request: '/fhir/r4/Patient/$export',
    requester_role: 'ADMIN',
    requester,
    issuer: '',
    patient_id: null,
    types: ['Patient'],
  }, { maxActive: 7, maxPerMinute: 100 })
  const results = await Promise.all(Array.from({ length: 60 }, async (_, i) => await kickOff(i % 2 === 0 ? 'one' : 'other')))
  t.equal(results.filter(({ created }) => created).length, 14)
  const { rows } =
    await sql<{ requester: string, n: number }>`SELECT requester, count(*) AS n FROM bulk_export_jobs GROUP BY requester
      ORDER BY 1`.execute(db)
  t.same(rows, [{ requester: 'one', n: 7 }, { requester: 'other', n: 7 }])
})

t.test('an ended export makes room for another', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db, { requester: 'one' })
  const values = {
    profile: 'respond-async', request: '', requester_role: 'ADMIN', requester: 'one', issuer: '', patient_id: null,
    types: ['Patient' as const]
  } as const
  t.same(await createExport(db, { ...values, types: ['Patient'], id: randomUUID() }, { maxActive: 1, maxPerMinute: 100 }),
    { created: false, excess: { limit: 'active' } })
  await cancelExport(db, id, 60_000)
  t.same(await createExport(db, { ...values, types: ['Patient'], id: randomUUID() }, { maxActive: 1, maxPerMinute: 100 }),
    { created: true })
})

t.test('kick-offs of any one minute are limited, however many ask at once and whatever becomes of the exports', async (t) => {
  const db = await openTestDatabase(t)
  const limits = { maxActive: 100, maxPerMinute: 5 }
  const kickOff = async (requester: string) => {
    const id = randomUUID()
    const result = await createExport(db, {
      id, profile: 'respond-async', request: '', requester_role: 'ADMIN', requester, issuer: '',
      patient_id: null, types: ['Patient']
    }, limits)
    if (result.created) await cancelExport(db, id, 60_000)
    return result
  }
  const results = await Promise.all(Array.from({ length: 40 }, async () => await kickOff('one')))
  t.equal(results.filter(({ created }) => created).length, 5)
  for (const result of results) if (!result.created) t.match(result.excess, { limit: 'minute', retryAfter: Number })
  const excess = await findKickOffExcess(db, 'one', limits)
  t.ok(excess?.limit === 'minute' && excess.retryAfter >= 1 && excess.retryAfter <= 60)
  t.equal(await findKickOffExcess(db, 'other', limits), undefined)
  t.match(await kickOff('other'), { created: true }, 'another requester is not held back')

  await sql`UPDATE bulk_export_jobs SET created_at = created_at - interval '1 minute' WHERE id = (SELECT id FROM bulk_export_jobs
    WHERE requester = 'one' LIMIT 1)`.execute(db)
  t.match([await kickOff('one'), await kickOff('one')], [{ created: true }, { created: false }], 'one was more than a minute ago')
})

t.test('what a requester is asked for by each request is found by an index', async (t) => {
  const db = await openTestDatabase(t)
  await sql`INSERT INTO bulk_export_jobs (id, profile, request, requester_role, requester, issuer, types)
    SELECT gen_random_uuid(), 'respond-async', '', 'ADMIN', 'requester ' || i % 100, '', '{Patient}'
      FROM generate_series(1, 20000) i`.execute(db)
  await sql`ANALYZE bulk_export_jobs`.execute(db)
  const { rows } =
    await sql<{ 'QUERY PLAN': string }>`EXPLAIN SELECT id FROM bulk_export_jobs WHERE requester = 'requester 7'
      ORDER BY created_at DESC, id LIMIT 100`.execute(db)
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  t.match(plan, /Index (Only )?Scan using bulk_export_jobs_by_requester/)
  t.notMatch(plan, /Sort|Seq Scan/)
})

t.test('the database refuses a PATIENT export without a patient, whatever the code above it does', async (t) => {
  const db = await openTestDatabase(t)
  for (const patient_id of [null, '']) {
    await t.rejects(givenExport(db, { requester_role: 'PATIENT', patient_id }), /a_patient_exports_only_own_data/)
  }
})

t.test('an expired export is not found and cannot be cancelled', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  await publishExport(db, await claim(db, id), { files: 0, transactionTime: new Date(), ttlMs: 60_000, progress })
  t.match(await findExport(db, id), { status: 'completed' })
  await sql`UPDATE bulk_export_jobs SET expires_at = now()`.execute(db)
  t.equal(await findExport(db, id), undefined)
  t.equal(await cancelExport(db, id, 60_000), false)
})

t.test('cancel changes an export once', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db)
  const results = await Promise.all(Array.from({ length: 5 }, async () => await cancelExport(db, id, 60_000)))
  t.equal(results.filter(Boolean).length, 1)
  const row = await findExport(db, id)
  t.match(row, { status: 'cancelled' })
  t.equal(row?.expires_at?.getTime(), (row?.ended_at?.getTime() ?? 0) + 60_000)
})
