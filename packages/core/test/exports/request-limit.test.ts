import { sql } from 'kysely'
import t from 'tap'
import { forgetQuietCallers, takeRequests } from '../../src/exports/index.ts'
import { openTestDatabase } from '../fixtures/database.ts'

t.test('a minute\'s requests are taken once, however many processes take them', async (t) => {
  const db = await openTestDatabase(t)
  const take = async (requester: string) => await takeRequests(db, requester, { count: 30, perMinute: 600 })
  const taken = await Promise.all(Array.from({ length: 50 }, async () => await take('one')))
  t.equal(taken.filter(Boolean).length, 20)
  t.equal(await take('other'), true, 'of another caller nothing is taken')

  const { rows: [before] } = await sql`SELECT full_at FROM bulk_export_callers WHERE requester = 'one'`.execute(db)
  t.equal(await take('one'), false)
  const { rows: [after] } = await sql`SELECT full_at FROM bulk_export_callers WHERE requester = 'one'`.execute(db)
  t.same(after, before, 'what is refused makes nobody wait longer')

  await sql`UPDATE bulk_export_callers SET full_at = full_at - interval '3 seconds'`.execute(db)
  t.same([await take('one'), await take('one')], [true, false], 'a slice comes back with its part of the minute')
})

t.test('callers that have all of their requests again are forgotten', async (t) => {
  const db = await openTestDatabase(t)
  await sql`INSERT INTO bulk_export_callers SELECT 'quiet ' || i, now() - interval '1 ms' FROM generate_series(1, 2500) i`.execute(db)
  await takeRequests(db, 'loud', { count: 30, perMinute: 600 })
  t.equal(await forgetQuietCallers(db), 2500)
  t.same((await sql`SELECT requester FROM bulk_export_callers`.execute(db)).rows, [{ requester: 'loud' }])
})
