import { resourceTypes } from '@fhir-bulk-export/core/r4'
import { toRelation } from '@fhir-bulk-export/core/resources'
import t from 'tap'
import { isWorthSharing, toParts, type Part } from '../../src/export/plan.ts'
import { filterOf } from '../fixtures/filter.ts'
import { sourceOf } from '../fixtures/source.ts'

const mebibyte = 128 // blocks
const source = sourceOf(['Patient', 'Consent', 'Provenance'])
const whole = (type: string) => ({ list: 'output', type, range: null })
const typesOf = (parts: Part[]) => parts.map((part) => part.map((item) => item.list === 'output' ? item.type : item.list))

t.test("a patient's own export is one part, in the order of the source", async (t) => {
  t.same(toParts(filterOf({ types: ['Consent', 'Patient'], patientId: 'p1' }), source, new Map([['patients', 100_000]]), 4),
    [[whole('Patient'), whole('Consent')]])
})

t.test('small tables share readers, up to 32 MiB', async (t) => {
  const sizes = (patients: number, consents: number, provenance: number) => new Map([['patients', patients * mebibyte],
    ['consents', consents * mebibyte], ['provenance_events', provenance * mebibyte]])
  const types = ['Patient', 'Consent', 'Provenance']
  t.same(typesOf(toParts(filterOf({ types }), source, sizes(1, 0, 1), 4)), [['Patient', 'Consent', 'Provenance']])
  t.same(typesOf(toParts(filterOf({ types }), source, sizes(20, 12, 1), 4)), [['Patient', 'Consent'], ['Provenance']])
  t.same(typesOf(toParts(filterOf({ types }), source, sizes(20, 40, 1), 4)), [['Patient', 'Provenance'], ['Consent']])
  const small = new Map(resourceTypes.map((type) => [toRelation(type), mebibyte]))
  t.equal(toParts(filterOf({ types: resourceTypes }), sourceOf([...resourceTypes]), small, 4).length, Math.ceil(resourceTypes.length / 32))
})

t.test('views, whose size is not known, have a reader each, unless there are many', async (t) => {
  t.same(typesOf(toParts(filterOf({ types: ['Patient', 'Consent'] }), source, new Map(), 2)), [['Patient'], ['Consent']])
  const parts = toParts(filterOf({ types: resourceTypes }), sourceOf([...resourceTypes], 'view'), new Map(), 2)
  t.equal(parts.length, 8)
  t.same(typesOf(parts).flat().sort(), resourceTypes)
})

t.test('the ranges of a large table follow on one another, and the last is open', async (t) => {
  for (const readers of [2, 3, 4, 7]) {
    const ranges = toParts(filterOf({ types: ['Patient'] }), source, new Map([['patients', 1_000_003]]), readers).flat().map((item) =>
      item.list === 'output' ? item.range : undefined)
    t.equal(ranges.length, readers)
    t.equal(ranges[0]?.from, 0)
    t.equal(ranges.at(-1)?.to, null)
    for (let i = 1; i < ranges.length; i++) t.equal(ranges[i]?.from, ranges[i - 1]?.to)
  }
})

t.test('no range is smaller than 32 MiB, however many readers there are', async (t) => {
  t.equal(toParts(filterOf({ types: ['Patient'] }), source, new Map([['patients', 100 * mebibyte]]), 64).length, 3)
})

t.test('what was deleted is a part of its own, and only with _since', async (t) => {
  const since = new Date().toISOString()
  t.same(toParts(filterOf({ types: ['Patient'], since }), source, new Map(), 4), [[whole('Patient')], [{ list: 'deleted' }]])
  t.same(toParts(filterOf({ types: ['Patient'], since, patientId: 'p1' }), source, new Map(), 4), [[whole('Patient'), { list: 'deleted' }]])
  t.same(toParts(filterOf({ types: [], since }), source, new Map(), 4), [])
})

t.test('associated Provenance is one query over all types, and has one reader', async (t) => {
  const large = new Map([['provenance_events', 1_000 * mebibyte]])
  t.equal(toParts(filterOf({ types: ['Provenance'] }), source, large, 4).length, 4)
  t.same(toParts(filterOf({ types: ['Provenance'], associated: 'latest' }), source, large, 4), [[whole('Provenance')]])
})

t.test('many workers read parts of the size that is asked for, up to a thousand of them', async (t) => {
  const megabyte = 1_024 ** 2
  const partsOf = (megabytes: number) => {
    const names = ['patients', 'consents', 'provenance_events']
    const sizes = new Map(names.map((name) => [name, { bytes: megabytes * megabyte, rows: 1_000 }]))
    const blocks = new Map(names.map((name) => [name, megabytes * mebibyte]))
    return toParts(filterOf({ types: ['Patient', 'Consent', 'Provenance'] }), source, blocks, 4, { sizes, partBytes: 64 * megabyte })
  }
  t.equal(partsOf(640).length, 30)
  t.equal(partsOf(1_000_000).length, 999)
})

t.test('what an export does not hold makes it no larger, known to PostgreSQL or not', async (t) => {
  for (const rows of [-1, 0, 1_000_000]) {
    const sizes = new Map([['consents', { bytes: 2 ** 40, rows }]])
    const sharing = { sizes, partBytes: 64 * 1_024 ** 2 }
    t.equal(isWorthSharing(filterOf({ types: [] }), source, new Map(), sharing), false)
    t.equal(isWorthSharing(filterOf({ types: ['Patient'] }), source, new Map([['Patient', 10]]), sharing), false)
    t.equal(isWorthSharing(filterOf({ types: ['Consent'] }), source, new Map([['Consent', 1_000_000]]), sharing), true)
  }
})
