import t from 'tap'
import { lineOf } from '../fixtures/lines.ts'

const resource = {
  meta: { tag: [{ code: 'a' }] }, gender: 'male', deceasedBoolean: false, _deceasedBoolean: { id: 'x' },
  name: [{ family: 'X' }], text: { status: 'empty', div: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>' }
}
const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }
const keysOf = (elements: string[], type = 'Patient', given: object = resource) =>
  Object.keys(lineOf(type, { resource: given }, { elements }).resource).sort()

t.test('what is not listed is left out, what identifies a resource stays, and a tag says so', async (t) => {
  t.strictSame(lineOf('Patient', { resource }, { elements: ['name'] }).resource, {
    resourceType: 'Patient',
    meta: { tag: [{ code: 'a' }, subsetted], lastUpdated: '2024-01-31T09:30:00.123Z' },
    name: resource.name,
    id: 'r-1',
  })
  t.strictSame(lineOf('Patient', { name: resource.name, gender: 'male' }, { elements: ['name'] }).resource, {
    resourceType: 'Patient',
    id: 'r-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z', tag: [subsetted] },
    name: resource.name,
  })
  t.strictSame(lineOf('Patient', { resource: { meta: { tag: [subsetted] } } }, { elements: ['name'] }).resource.meta.tag, [subsetted])
})

t.test('an element of one type says nothing of others, one without type of all', async (t) => {
  t.equal(keysOf(['Consent.status']).length, 8)
  t.equal(keysOf([]).length, 8)
  t.strictSame(keysOf(['id', 'Consent.status']), ['id', 'meta', 'resourceType'])
  t.strictSame(keysOf(['gender', 'Patient.name']), ['gender', 'id', 'meta', 'name', 'resourceType'])
})

t.test('a choice goes by its name in FHIR, with its extensions', async (t) => {
  t.strictSame(keysOf(['deceased']), ['_deceasedBoolean', 'deceasedBoolean', 'id', 'meta', 'resourceType'])
})

t.test('mandatory elements stay, of any type', async (t) => {
  t.strictSame(keysOf(['id'], 'Observation', {
    status: 'final', code: { text: 'x' }, valueString: 'v',
    component: [{ code: { text: 'c' } }]
  }), ['code', 'id', 'meta', 'resourceType', 'status'])
  t.strictSame(keysOf(['id'], 'MedicationRequest', {
    status: 'active', intent: 'order', subject: { display: 'x' }, medicationReference: { display: 'm' }, note: [{ text: 'n' }],
  }), ['id', 'intent', 'medicationReference', 'meta', 'resourceType', 'status', 'subject'])
})

t.test('a row is an issue whichever elements are asked for', async (t) => {
  t.match(lineOf('Patient', { resource: { name: [{ family: 1 }] } }, { elements: ['gender'] }).issue, { path: 'name[0].family' })
})
