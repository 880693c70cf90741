import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { cancelExport, claimExport, createExport, findExport, publishExport } from '../../src/exports/index.ts'
import { givenExport, openTestDatabase } from '../fixtures/database.ts'

const progress = { progress: 99, total_resources: 1, exported_resources: 1 }

t.test('simultaneous kick-offs of one requester never pass the limit, and none below it is lost', async (t) => {
  const db = await openTestDatabase(t)
  const kickOff = async (requester: string) => await createExport(db, {
    id: randomUUID(),
    wire_profile: 'respond-async',
    request: '/fhir/r4/Patient/$export',
    requester_role: 'ADMIN',
    requester,
    issuer: '',
    patient_id: null,
    types: ['Patient'],
    since: null,
  }, 7)
  const results = await Promise.all(Array.from({ length: 60 }, async (_, i) => await kickOff(i % 2 === 0 ? 'one' : 'other')))
  t.equal(results.filter(({ created }) => created).length, 14)
  const { rows } = await sql<{ requester: string, n: number }>`SELECT requester, count(*) AS n FROM bulk_export_jobs GROUP BY requester ORDER BY 1`.execute(db)
  t.same(rows, [{ requester: 'one', n: 7 }, { requester: 'other', n: 7 }])
})

t.test('an ended export makes room for another', async (t) => {
  const db = await openTestDatabase(t)
  const id = await givenExport(db, { requester: 'one' })
  const values = { wire_profile: 'respond-async', request: '', requester_role: 'ADMIN', requester: 'one', issuer: '', patient_id: null, types: ['Patient' as const], since: null } as const
  t.same(await createExport(db, { ...values, types: ['Patient'], id: randomUUID() }, 1), { created: false })
  await cancelExport(db, id, 60_000)
  t.same(await createExport(db, { ...values, types: ['Patient'], id: randomUUID() }, 1), { created: true })
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
  const claim = await claimExport(db, id, { leaseMs: 30_000, maxFailures: 3, ttlMs: 60_000 })
  if (claim.outcome !== 'claimed') throw new Error('not claimed')
  await publishExport(db, claim.export, { files: 0, transactionTime: new Date(), ttlMs: 60_000, progress })
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
