import { sql } from 'kysely'
import t from 'tap'
import { forgetQuietCallers, takeRequests } from '../../src/exports/index.ts'
import { openTestDatabase } from '../fixtures/database.ts'

t.test('a minute\'s requests are taken once, however many processes take them', async (t) => {
  const db = await openTestDatabase(t)
  const take = async (requester: string) => await takeRequests(db, requester, { count: 30, perMinute: 600 })
  const begun = performance.now()
  const taken = (await Promise.all(Array.from({ length: 50 }, async () => await take('one')))).filter(Boolean).length
  const back = Math.floor((performance.now() - begun) / 3_000)
  t.ok(taken >= 20 && taken <= 20 + back, `${taken} slices of 20, and of ${back} that came back meanwhile`)
  t.equal(await take('other'), true, 'of another caller nothing is taken')
})

t.test('what is refused makes nobody wait longer, and a slice comes back with its part of the minute', async (t) => {
  const db = await openTestDatabase(t)
  await takeRequests(db, 'one', { count: 30, perMinute: 600 })
  await db.transaction().execute(async (trx) => { // in which now() stands still
    const take = async () => await takeRequests(trx, 'one', { count: 30, perMinute: 600 })
    await sql`UPDATE bulk_export_callers SET full_at = now() + interval '1 minute'`.execute(trx)
    t.equal(await take(), false)
    const { rows } = await sql`SELECT full_at - now() = interval '1 minute' AS same FROM bulk_export_callers`.execute(trx)
    t.same(rows, [{ same: true }])
    await sql`UPDATE bulk_export_callers SET full_at = full_at - interval '3 seconds'`.execute(trx)
    t.same([await take(), await take()], [true, false])
  })
})

t.test('callers that have all of their requests again are forgotten', async (t) => {
  const db = await openTestDatabase(t)
  await sql`INSERT INTO bulk_export_callers SELECT 'quiet ' || i, now() - interval '1 ms' FROM generate_series(1, 2500) i`.execute(db)
  await takeRequests(db, 'loud', { count: 30, perMinute: 600 })
  t.equal(await forgetQuietCallers(db), 2500)
  t.same((await sql`SELECT requester FROM bulk_export_callers`.execute(db)).rows, [{ requester: 'loud' }])
})
