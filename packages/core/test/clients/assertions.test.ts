import { sql } from 'kysely'
import t from 'tap'
import { forgetExpiredAssertions, useAssertion } from '../../src/clients/index.ts'
import { openTestDatabase } from '../fixtures/database.ts'

t.test('of any number of attempts at once one takes a jti; once it is over it may be taken again, and is forgotten', async (t) => {
  const db = await openTestDatabase(t)
  const expiresAt = new Date(Date.now() + 60_000)
  const one = { clientId: 'lab', jti: 'x'.repeat(10_000), expiresAt }
  const taken = await Promise.all(Array.from({ length: 20 }, async () => await useAssertion(db, one)))
  t.equal(taken.filter(Boolean).length, 1)
  t.ok(await useAssertion(db, { ...one, clientId: 'clinic' }))
  t.equal(await forgetExpiredAssertions(db), 0)

  await sql`UPDATE bulk_export_client_assertions SET expires_at = now() - interval '1 s' WHERE client_id = 'lab'`.execute(db)
  t.ok(await useAssertion(db, one))
  t.notOk(await useAssertion(db, one))
  await sql`UPDATE bulk_export_client_assertions SET expires_at = now() - interval '1 s' WHERE client_id = 'lab'`.execute(db)
  t.equal(await forgetExpiredAssertions(db), 1)
  t.match(await db.selectFrom('bulk_export_client_assertions').select('client_id').execute(), [{ client_id: 'clinic' }])
})
