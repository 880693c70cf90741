import t from 'tap'
import { claimGarbage, markFileDropped, releaseGarbage } from '../../src/exports/index.ts'
import { givenKeyring } from '../crypto/fixtures/files.ts'
import { openTestDatabase } from '../fixtures/database.ts'
import { givenAttempt, storeFile } from './fixtures/keyed-files.ts'

t.test('garbage is collected once for what was dropped, by one of those who ask, and again if that went wrong', async (t) => {
  const db = await openTestDatabase(t)
  const { id, attempt } = await givenAttempt(db)
  const ref = { export_id: id, attempt, n: 1 }
  await storeFile(db, { id, attempt }, givenKeyring('k'))
  t.equal(await claimGarbage(db), false, 'nothing was dropped')
  await markFileDropped(db, ref)
  const asked = await Promise.all(Array.from({ length: 5 }, async () => await claimGarbage(db)))
  t.equal(asked.filter(Boolean).length, 1)
  await releaseGarbage(db)
  t.equal(await claimGarbage(db), true)
  t.equal(await claimGarbage(db), false)
  await markFileDropped(db, ref)
  t.equal(await claimGarbage(db), true, 'a pin turned up late and was taken away')
})
