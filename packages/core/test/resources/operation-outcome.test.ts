import t from 'tap'
import { toIgnoredOutcome, toOperationOutcome } from '../../src/resources/index.ts'
import { secret } from '../fixtures/bad-rows.ts'
import { lineOf } from '../fixtures/lines.ts'
import { findProblems } from '../fixtures/validators.ts'

const publicUrl = 'https://fhir.example.org'
const system = `${publicUrl}/fhir/r4/CodeSystem/error-code`

t.test('a row that cannot be exported becomes a line that names the row and the element', async (t) => {
  const { issue } = lineOf('Patient', { id: 'p-1', name: [{ given: ['Ada', 1] }] })
  const outcome = toOperationOutcome(issue!, publicUrl)
  t.strictSame(outcome, {
    resourceType: 'OperationOutcome',
    issue: [{
      severity: 'error',
      code: 'invalid',
      details: { coding: [{ system, code: 'resource-left-out' }], text: 'Resource left out' },
      diagnostics: 'Patient/p-1: Patient.name[0].given[1] must be a string',
      expression: ['Patient.name[0].given[1]'],
    }],
  })
  t.strictSame(findProblems(outcome), [])
})

t.test('an id that is none might be somebody\'s name: it is not shown', async (t) => {
  const outcome = toOperationOutcome(lineOf('Patient', { id: secret }).issue!, publicUrl)
  t.match(outcome.issue[0]?.diagnostics, 'A row of Patient without a usable id: Patient.id must be')
  t.notMatch(JSON.stringify(outcome), secret)
})

t.test('something left out of a resource becomes a warning', async (t) => {
  const outcome = toOperationOutcome({
    severity: 'warning', type: 'DocumentReference', id: 'd-1', path: 'content[0].attachment.url',
    problem: 'is left out'
  }, publicUrl)
  t.match(outcome.issue, [{
    severity: 'warning', code: 'incomplete', details: { coding: [{ system, code: 'resource-incomplete' }] },
    expression: ['DocumentReference.content[0].attachment.url']
  }])
  t.strictSame(findProblems(outcome), [])
})

t.test('what was ignored is a valid OperationOutcome', async (t) => {
  const outcome = toIgnoredOutcome('organizeOutputBy is not supported', publicUrl)
  t.match(outcome.issue, [{
    severity: 'warning', code: 'not-supported', details: { coding: [{ system, code: 'parameter-ignored' }] },
    diagnostics: 'organizeOutputBy is not supported'
  }])
  t.strictSame(findProblems(outcome), [])
})
