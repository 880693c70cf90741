import t from 'tap'
import { RefusalCounts } from '../../src/limits/refusal-counts.ts'

const one = (requester: string, status = 401) => ({ event: 'refused', by: { requester }, status, count: 1 }) as const

t.test('by caller and status, each taken once', async (t) => {
  const counts = new RefusalCounts()
  for (const refused of [one('a'), one('b'), one('a'), one('a', 429), { ...one('a'), event: 'token-refused' } as const]) counts.add(refused)
  const { refusals, since } = counts.take()
  t.match(refusals, [{ by: { requester: 'a' }, status: 401, count: 2 }, { by: { requester: 'b' }, count: 1 }, { status: 429, count: 1 }, {
    event: 'token-refused', count: 1,
  }])
  t.type(since, Date)
  t.strictSame(counts.take().refusals, [])
})

t.test('what could not be written is taken with what came since, from when it began', async (t) => {
  const counts = new RefusalCounts()
  counts.add(one('a'))
  const taken = counts.take()
  counts.add(one('a'))
  counts.add(one('b'))
  counts.giveBack(taken)
  const again = counts.take()
  t.equal(again.since, taken.since)
  t.match(again.refusals, [{ by: { requester: 'a' }, count: 2 }, { by: { requester: 'b' }, count: 1 }])
})

t.test('a thousand callers are told apart, however often nothing can be written; the rest is one number', async (t) => {
  const counts = new RefusalCounts()
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 2_000; n++) counts.add(one(`${round} ${n}`))
    counts.giveBack(counts.take())
  }
  const { refusals } = counts.take()
  t.ok(refusals.length <= 1_001, `${refusals.length}`)
  t.equal(refusals.reduce((sum, { count }) => sum + count, 0), 6_000)
  t.strictSame(refusals.at(-1)?.by, {})
})
