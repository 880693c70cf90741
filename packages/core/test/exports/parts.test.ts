import { type Kysely, sql } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/db/index.ts'
import {
  cancelExport, failPart, filesPerReading, findPartResults, findPublishedFiles, finishPart, forgetSnapshots, handBackPart,
  handOnExport, intendFile, mostLosses, publishExport, readPartsState, recordFile, renewPart, shareAttempt, sumFiles, takePart,
} from '../../src/exports/index.ts'
import { claim, givenExport, openTestDatabase } from '../fixtures/database.ts'

const task = { snapshot: { id: '1' }, filter: {}, source: {} }
const taker = { readers: 'v1', leaseMs: 60_000, except: [] }
const result = { rows: 10, files: 1, rowErrors: 0, lastRowError: undefined }

async function givenShared (db: Kysely<Database>, parts: number) {
  const id = await givenExport(db)
  const attempt = { id, attempt: (await claim(db, id)).attempt }
  t.ok(await shareAttempt(db, attempt, 'v1', task, Array.from({ length: parts }, (_, i) => ({ items: [{ i }] }))))
  return attempt
}

async function endLeaseOf (db: Kysely<Database>, n: number) {
  await sql`UPDATE bulk_export_parts SET available_at = now() - interval '1 s' WHERE n = ${n}`.execute(db)
}

async function endLeaseOfExport (db: Kysely<Database>, id: string) {
  await sql`UPDATE bulk_export_jobs SET available_at = now() - interval '1 s' WHERE id = ${id}`.execute(db)
}

t.test('of several exports the one with the fewest readers gets the next', async (t) => {
  const db = await openTestDatabase(t)
  const exports = [await givenShared(db, 4), await givenShared(db, 4), await givenShared(db, 1)]
  const taken: Array<string | undefined> = []
  for (let i = 0; i < 7; i++) taken.push((await takePart(db, taker))?.id)
  for (const { id } of exports) t.equal(new Set(taken.slice(0, 3)).has(id), true, 'each has one')
  t.same(exports.map(({ id }) => taken.filter((of) => of === id).length), [3, 3, 1])
})

t.test('where as many read each export, the next part is of the next export', async (t) => {
  const db = await openTestDatabase(t)
  const ids = [await givenShared(db, 2), await givenShared(db, 2), await givenShared(db, 2)].map(({ id }) => id).sort()
  const taken: string[] = []
  for (let i = 0; i < 6; i++) {
    const part = (await takePart(db, { ...taker, after: taken.at(-1) }))!
    taken.push(part.id)
    await finishPart(db, part, result)
  }
  t.strictSame(taken, [...ids, ...ids])
})

t.test('a part that is just being taken keeps nobody from those of other exports', async (t) => {
  const db = await openTestDatabase(t)
  const ids = [await givenShared(db, 1), await givenShared(db, 1)].map(({ id }) => id).sort()
  const open = await db.startTransaction().execute()
  t.match(await takePart(open, taker), { id: ids[0] })
  t.match(await takePart(db, taker), { id: ids[1] })
  t.equal(await takePart(db, taker), undefined)
  await open.commit().execute()
})

t.test('a part is taken once, by any number of workers at once', async (t) => {
  const db = await openTestDatabase(t)
  await givenShared(db, 5)
  const taken = await Promise.all(Array.from({ length: 8 }, async () => await takePart(db, taker)))
  t.same(taken.flatMap((part) => part?.n ?? []).sort(), [1, 2, 3, 4, 5])
})

t.test('a part that was lost is taken again, and its former reader changes nothing any more', async (t) => {
  const db = await openTestDatabase(t)
  const attempt = await givenShared(db, 2)
  const first = (await takePart(db, taker))!
  t.equal(await renewPart(db, first, 60_000, 5), true)
  await endLeaseOf(db, first.n)
  const second = (await takePart(db, taker))!
  t.match(second, { n: first.n, turn: first.turn + 1, part: first.part })
  t.not(second.reading, first.reading, 'its files have other numbers')
  const late = [
    await renewPart(db, first, 60_000, 5), await finishPart(db, first, result), await failPart(db, first, {}),
    await handBackPart(db, first),
  ]
  t.same(late, [false, false, false, false])
  t.match(await readPartsState(db, attempt), { rows: 0, isRead: false, isGivenUp: false })
  t.equal(await finishPart(db, second, result), true)
  t.equal(await finishPart(db, second, result), false, 'and not twice')
  const other = (await takePart(db, taker))!
  await finishPart(db, other, { ...result, rowErrors: 2, lastRowError: 'Patient: name is not there' })
  t.match(await readPartsState(db, attempt), { rows: 20, isRead: true })
  t.same(await findPartResults(db, attempt), [
    { ...result, reading: second.reading },
    { ...result, rowErrors: 2, lastRowError: 'Patient: name is not there', reading: other.reading },
  ])
})

t.test('what was stored of a part that was lost is neither published nor counted', async (t) => {
  const db = await openTestDatabase(t)
  const attempt = await givenShared(db, 1)
  const store = async ({ reading }: { reading: number }, name: string) => {
    const ref = { export_id: attempt.id, attempt: attempt.attempt, n: reading * filesPerReading + 1 }
    t.ok(await intendFile(db, { ...ref, list: 'output', type: 'Patient' }))
    t.ok(await recordFile(db, ref, { cid: name, pin: null, size: 100, sha256: name, count: 10 }))
  }
  const first = (await takePart(db, taker))!
  await store(first, 'first')
  await endLeaseOf(db, first.n)
  const second = (await takePart(db, taker))!
  await store(second, 'second')
  t.ok(await finishPart(db, second, result))
  const readings = (await findPartResults(db, attempt)).map(({ reading }) => reading)
  const progress = { progress: 99, total_resources: 10, exported_resources: 10 }
  t.ok(await publishExport(db, attempt, { files: 1, readings, transactionTime: new Date(), ttlMs: 60_000, progress }))
  t.match(await findPublishedFiles(db, attempt.id), [{ cid: 'second', name: 'Patient.1.ndjson' }])
  t.strictSame(await sumFiles(db, attempt, 'published'), [{ list: 'output', type: 'Patient', files: 1, resources: 10, bytes: 100 }])
})

t.test('a part that was handed back is taken again, however often, and is not lost', async (t) => {
  const db = await openTestDatabase(t)
  const attempt = await givenShared(db, 1)
  for (let turn = 1; turn <= mostLosses; turn++) {
    const part = (await takePart(db, taker))!
    t.match(part, { n: 1, turn })
    t.equal(await handBackPart(db, part), true)
  }
  t.match(await takePart(db, taker), { n: 1 })
  await endLeaseOf(db, 1)
  t.match(await readPartsState(db, attempt), { isGivenUp: false })
})

t.test('a part that was lost too often is given up, and the others are read on', async (t) => {
  const db = await openTestDatabase(t)
  const attempt = await givenShared(db, 2)
  for (let losses = 0; losses < mostLosses; losses++) {
    t.match(await readPartsState(db, attempt), { isGivenUp: false })
    t.match(await takePart(db, taker), { n: 1, turn: losses + 1 })
    t.match(await readPartsState(db, attempt), { isGivenUp: false }, 'while its lease lasts')
    await endLeaseOf(db, 1)
  }
  t.match(await readPartsState(db, attempt), { isGivenUp: true })
  t.match(await takePart(db, taker), { n: 2 })
  t.equal(await takePart(db, taker), undefined)
})

t.test('why a part failed is told', async (t) => {
  const db = await openTestDatabase(t)
  const attempt = await givenShared(db, 2)
  await failPart(db, (await takePart(db, taker))!, { error: 'STORE_FULL', message: 'full', code: 'ENOSPC' })
  t.match(await readPartsState(db, attempt), { failure: { error: 'STORE_FULL', message: 'full', code: 'ENOSPC' }, isRead: false })
})

t.test('nobody takes or writes parts of an attempt that is over', async (t) => {
  const endings: Record<string, (db: Kysely<Database>, attempt: { id: string, attempt: number }) => Promise<unknown>> = {
    cancelled: async (db, { id }) => await cancelExport(db, id, 60_000),
    'handed on': async (db, attempt) => await handOnExport(db, attempt),
    'its lease over': async (db, { id }) => { await endLeaseOfExport(db, id) },
    overtaken: async (db, { id }) => {
      await endLeaseOfExport(db, id)
      await claim(db, id)
    },
  }
  for (const [name, end] of Object.entries(endings)) {
    const db = await openTestDatabase(t)
    const attempt = await givenShared(db, 2)
    const part = (await takePart(db, taker))!
    await end(db, attempt)
    const late = [await takePart(db, taker), await renewPart(db, part, 60_000, 1), await finishPart(db, part, result)]
    t.same(late, [undefined, false, false], name)
    if (name === 'overtaken') t.equal(await shareAttempt(db, attempt, 'v1', task, []), false)
    await forgetSnapshots(db)
    if (name !== 'its lease over') t.same(await db.selectFrom('bulk_export_parts').select('n').execute(), [], `${name}: nothing is kept`)
  }
})

t.test('workers that read otherwise, or cannot join, take none', async (t) => {
  const db = await openTestDatabase(t)
  const { id, attempt } = await givenShared(db, 1)
  t.equal(await takePart(db, { ...taker, readers: 'v2' }), undefined)
  t.equal(await takePart(db, { ...taker, except: [`${id}.${attempt}`] }), undefined)
  await forgetSnapshots(db)
  t.match(await takePart(db, taker), { id, n: 1, turn: 1, task, part: { items: [{ i: 0 }] } })
})
