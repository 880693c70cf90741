import t from 'tap'
import { toParts } from '../../src/export/plan.ts'
import { filterOf } from '../fixtures/filter.ts'

const mebibyte = 128 // blocks

t.test("a patient's own export is one part, in the order of the types", async (t) => {
  t.same(toParts(filterOf({ types: ['Patient', 'Consent'], patientId: 'p1' }), new Map([['patients', 100_000]]), 4),
    [[{ list: 'output', type: 'Patient', range: null }, { list: 'output', type: 'Consent', range: null }]])
})

t.test('small tables and views have one reader each', async (t) => {
  t.same(toParts(filterOf({ types: ['Patient', 'Consent'] }), new Map([['patients', 63 * mebibyte]]), 4),
    [[{ list: 'output', type: 'Patient', range: null }], [{ list: 'output', type: 'Consent', range: null }]])
})

t.test('the ranges of a large table follow on one another, and the last is open', async (t) => {
  for (const readers of [2, 3, 4, 7]) {
    const ranges = toParts(filterOf({ types: ['Patient'] }), new Map([['patients', 1_000_003]]), readers).flat().map((source) => source.list === 'output' ? source.range : undefined)
    t.equal(ranges.length, readers)
    t.equal(ranges[0]?.from, 0)
    t.equal(ranges.at(-1)?.to, null)
    for (let i = 1; i < ranges.length; i++) t.equal(ranges[i]?.from, ranges[i - 1]?.to)
  }
})

t.test('no range is smaller than 32 MiB, however many readers there are', async (t) => {
  t.equal(toParts(filterOf({ types: ['Patient'] }), new Map([['patients', 100 * mebibyte]]), 64).length, 3)
})

t.test('what was deleted is a part of its own, and only with _since', async (t) => {
  const since = new Date()
  t.same(toParts(filterOf({ types: ['Patient'], since }), new Map(), 4), [[{ list: 'output', type: 'Patient', range: null }], [{ list: 'deleted' }]])
  t.same(toParts(filterOf({ types: ['Patient'], since, patientId: 'p1' }), new Map(), 4), [[{ list: 'output', type: 'Patient', range: null }, { list: 'deleted' }]])
  t.same(toParts(filterOf({ types: [], since }), new Map(), 4), [])
})

t.test('associated Provenance is one query over all types, and has one reader', async (t) => {
  const large = new Map([['provenance_events', 1_000 * mebibyte]])
  t.equal(toParts(filterOf({ types: ['Provenance'] }), large, 4).length, 4)
  t.equal(toParts(filterOf({ types: ['Provenance'], associated: 'latest' }), large, 4).length, 1)
})
