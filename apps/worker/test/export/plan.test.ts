import t from 'tap'
import { toParts } from '../../src/export/plan.ts'

const everybody = { patientId: null, since: null }
const mebibyte = 128 // blocks

t.test("a patient's own export is one part, in the order of the types", async (t) => {
  t.same(toParts(['Patient', 'Consent'], { patientId: 'p1', since: null }, new Map([['patients', 100_000]]), 4),
    [[{ type: 'Patient', range: null }, { type: 'Consent', range: null }]])
})

t.test('small tables and views have one reader each', async (t) => {
  t.same(toParts(['Patient', 'Consent'], everybody, new Map([['patients', 63 * mebibyte]]), 4),
    [[{ type: 'Patient', range: null }], [{ type: 'Consent', range: null }]])
})

t.test('the ranges of a large table follow on one another, and the last is open', async (t) => {
  for (const readers of [2, 3, 4, 7]) {
    const ranges = toParts(['Patient'], everybody, new Map([['patients', 1_000_003]]), readers).flat().map(({ range }) => range)
    t.equal(ranges.length, readers)
    t.equal(ranges[0]?.from, 0)
    t.equal(ranges.at(-1)?.to, null)
    for (let i = 1; i < ranges.length; i++) t.equal(ranges[i]?.from, ranges[i - 1]?.to)
  }
})

t.test('no range is smaller than 32 MiB, however many readers there are', async (t) => {
  t.equal(toParts(['Patient'], everybody, new Map([['patients', 100 * mebibyte]]), 64).length, 3)
})
