import fc from 'fast-check'
import t from 'tap'
import { searchExpressions } from '../../src/r4/index.ts'
import { openTestDatabase } from '../fixtures/database.ts'
import { matches, type Criterion } from '../fixtures/search-evaluator.ts'
import { givenResources, search } from '../fixtures/search.ts'

// Few values, so that they meet.
const dates = ['2023', '2024', '2024-02', '2024-02-29', '2024-03', '2024-03-01', '2024-02-29T23:30:00-01:00', '2024-03-01T00:30:00Z',
  '2024-03-01T00:30:00.500Z', '2025']
const anyDate = fc.constantFrom(...dates)
const codes = fc.constantFrom('a', 'b', 'c')
const systems = fc.constantFrom('urn:s', 'urn:t')
const coding = fc.record({ system: systems, code: codes }, { requiredKeys: [] }).filter((value) => Object.keys(value).length > 0)
const concept = fc.record({ coding: fc.array(coding, { minLength: 1, maxLength: 2 }), text: fc.constant('x') }, { requiredKeys: ['text'] })
const period = fc.record({ start: anyDate, end: anyDate }, { requiredKeys: [] }).filter((value) => Object.keys(value).length > 0)
// The evaluator's union takes quantities of one value and code for one, so the unit goes with the code.
const quantity = fc.tuple(fc.constantFrom(0, 1, 1.5, 1.25, 2, 10, 99.5), fc.constantFrom({}, { unit: 'mg' },
  { unit: 'milligram', code: 'mg' }, { unit: 'g', code: 'g' })).map(([value, unit]) => ({ value, ...unit }))
const texts = fc.constantFrom('Ann', 'ANNA', 'Änne', 'Bob', 'bo', 'Joanna')
const reference = fc.record({
  reference: fc.constantFrom('Patient/1', 'Patient/2', 'Group/1', 'Patient/1/_history/4',
    'http://e.org/Patient/1', '#c')
})
const identifier = fc.record({ system: systems, value: codes }, { requiredKeys: ['value'] })

const token = fc.oneof(codes, fc.tuple(systems, codes).map(([system, code]) => `${system}|${code}`), codes.map((code) => `|${code}`),
  systems.map((system) => `${system}|`))
const values = {
  token,
  date: fc.tuple(fc.constantFrom('', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb'), anyDate).map((parts) => parts.join('')),
  quantity: fc.tuple(fc.constantFrom('', 'eq', 'ne', 'gt', 'lt', 'ge', 'le'),
    fc.constantFrom('1', '1.5', '1.2', '1.25', '2', '2.0', '10', '99'), fc.constantFrom('', '||mg')).map((parts) => parts.join('')),
  string: fc.constantFrom('ann', 'An', 'ANNA', 'bo', 'B', 'Änne', 'anne'),
  reference: fc.constantFrom('Patient/1', '1', '2', 'Group/1', 'http://e.org/Patient/1'),
}
const modifiers = {
  token: ['not', 'missing'], date: ['missing'], quantity: ['missing'], string: ['exact', 'contains', 'missing'],
  reference: ['missing']
} as const

const types: Record<string, { resource: fc.Arbitrary<object>, parameters: string[] }> = {
  Observation: {
    resource: fc.record({
      category: fc.array(concept, { minLength: 1, maxLength: 2 }),
      code: concept,
      subject: reference,
      performer: fc.array(reference, { minLength: 1, maxLength: 2 }),
      effectiveDateTime: anyDate,
      valueQuantity: quantity,
      component: fc.array(fc.record({ code: concept, valueQuantity: quantity }, { requiredKeys: ['code'] }),
        { minLength: 1, maxLength: 2 }),
      identifier: fc.array(identifier, { minLength: 1, maxLength: 2 }),
    }, { requiredKeys: ['code'] }),
    parameters: ['category', 'code', 'combo-code', 'component-code', 'identifier', 'date', 'value-quantity', 'combo-value-quantity',
      'subject', 'performer', 'patient'],
  },
  Patient: {
    resource: fc.record({
      name: fc.array(fc.record({ text: texts, family: texts, given: fc.array(texts, { minLength: 1, maxLength: 2 }) },
        { requiredKeys: ['family'] }), { minLength: 1, maxLength: 2 }),
      birthDate: fc.constantFrom('2023', '2024-02', '2024-02-29'),
      deceasedDateTime: anyDate,
      generalPractitioner: fc.array(reference, { minLength: 1, maxLength: 2 }),
    }, { requiredKeys: [] }),
    parameters: ['name', 'family', 'given', 'birthdate', 'death-date', 'general-practitioner'],
  },
  Encounter: {
    resource: fc.record({
      class: coding, type: fc.array(concept, { minLength: 1, maxLength: 2 }), period, length: quantity,
      subject: reference
    }, { requiredKeys: ['class'] }),
    parameters: ['class', 'type', 'date', 'length', 'patient', 'subject'],
  },
}

const runs = Number(process.env.FUZZ_RUNS ?? 120)

for (const [type, { resource, parameters }] of Object.entries(types)) {
  t.test(`${type}: the SQL says of every resource what the evaluator says`, async (t) => {
    const db = await openTestDatabase(t)
    const seed = Number(process.env.SEED ?? 14)
    const resources = fc.sample(resource, { numRuns: 40, seed }).map((values, i): { id: string } =>
      JSON.parse(JSON.stringify({ resourceType: type, id: `r${i}`, ...values })))
    await givenResources(db, type, resources)
    const criterion = fc.constantFrom(...parameters).chain((name) => {
      const kind = searchExpressions(type).get(name)!.kind as keyof typeof values
      const plain = fc.array(values[kind] as fc.Arbitrary<string>, { minLength: 1, maxLength: 3 }).map((given): Criterion => ({
        name,
        values: given
      }))
      const modified = fc.constantFrom(...modifiers[kind]).chain((modifier) => (modifier === 'missing'
        ? fc.constantFrom('true', 'false').map((value) => [value])
        : fc.array(values[kind] as fc.Arbitrary<string>, { minLength: 1, maxLength: 2 }))
        .map((given): Criterion => ({ name, modifier, values: given })))
      return fc.oneof({ weight: 3, arbitrary: plain }, { weight: 1, arbitrary: modified })
    })
    let found = 0
    for (const criteria of fc.sample(fc.array(criterion, { minLength: 1, maxLength: 2 }), { numRuns: runs, seed })) {
      const asked = criteria.map(({
        name, modifier,
        values
      }) => `${name}${modifier === undefined ? '' : `:${modifier}`}=${values.map(encodeURIComponent).join(',')}`).join('&')
      const expected = resources.filter((resource) => criteria.every((one) => matches(type, resource, one))).map(({ id }) => id).sort()
      t.same(await search(db, `${type}?${asked}`), expected, decodeURIComponent(asked))
      found += expected.length
    }
    t.not(found, 0, `${found} matches`)
  })
}
