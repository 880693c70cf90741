import t from 'tap'
import fc from 'fast-check'
import { createElementPicker, ElementError, isRootElement, serializers, toIgnoredOutcome, type SerializerContext } from '../../src/fhir/index.ts'
import { exportedTypes } from '../../src/source/relations.ts'
import { hostileRows } from '../fixtures/hostile-rows.ts'
import { contextWith } from '../fixtures/rows.ts'
import { findProblems } from '../fixtures/validators.ts'

const patient = { resourceType: 'Patient', id: 'p', meta: { lastUpdated: '2024-01-01T00:00:00Z' }, gender: 'male', deceasedBoolean: false, name: [{ family: 'X' }] }
const tag = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED', display: 'subsetted' }]

t.test('what is not listed is left out, what identifies a resource stays, and a tag says so', async t => {
  t.strictSame(createElementPicker('Patient', ['name'])?.(patient), { resourceType: 'Patient', id: 'p', meta: { ...patient.meta, tag }, name: patient.name })
  t.strictSame(patient.meta, { lastUpdated: '2024-01-01T00:00:00Z' }, 'the given one is as it was')
})

t.test('an element of one type says nothing of others, one without type of all', async t => {
  t.equal(createElementPicker('Consent', ['Patient.name']), undefined)
  t.equal(createElementPicker('Patient', []), undefined)
  t.strictSame(Object.keys(createElementPicker('Patient', ['id', 'Consent.status'])?.(patient) ?? {}), ['resourceType', 'id', 'meta'])
  t.strictSame(Object.keys(createElementPicker('Patient', ['gender', 'Patient.name'])?.(patient) ?? {}), ['resourceType', 'id', 'meta', 'gender', 'name'])
})

t.test('a choice goes by its name in FHIR', async t => {
  t.strictSame(Object.keys(createElementPicker('Patient', ['deceased'])?.(patient) ?? {}), ['resourceType', 'id', 'meta', 'deceasedBoolean'])
  t.ok(isRootElement('Patient', 'deceased'))
  t.notOk(isRootElement('Patient', 'deceasedBoolean'))
})

t.test('root elements are those that FHIR defines, exported or not', async t => {
  for (const element of ['id', 'meta', 'text', 'photo', 'contact']) t.ok(isRootElement('Patient', element), element)
  for (const element of ['', 'contact.name', 'status', 'resourceType', 'constructor', 'Name']) t.notOk(isRootElement('Patient', element), element)
})

const listed = ['id', 'identifier', 'status', 'name', 'deceased', 'category', 'Patient.gender', 'Consent.policy', 'Consent.provision', 'DocumentReference.context', 'Provenance.occurred', 'Patient.photo']

for (const type of exportedTypes) {
  t.test(`a ${type} stays valid, whatever is left of it`, async () => {
    fc.assert(fc.property(hostileRows(type), fc.subarray(listed), function staysValid (row, elements) {
      const pick = createElementPicker(type, elements)
      if (pick === undefined) return
      try {
        const whole = (serializers[type] as (row: object, context: SerializerContext) => object)(row, contextWith())
        const problems = findProblems(pick(whole))
        if (problems.length > 0) throw new Error(problems.join('\n'))
      } catch (error) {
        if (!(error instanceof ElementError)) throw error
      }
    }), { numRuns: Number(process.env.FUZZ_RUNS ?? 300) })
  })
}

t.test('what was ignored is a valid OperationOutcome', async t => {
  const outcome = toIgnoredOutcome('organizeOutputBy is not supported')
  t.match(outcome.issue, [{ severity: 'warning', code: 'not-supported', diagnostics: 'organizeOutputBy is not supported' }])
  t.strictSame(findProblems(outcome), [])
})
