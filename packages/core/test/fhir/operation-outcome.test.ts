import t from 'tap'
import { ElementError, serializers, toOperationOutcome, toRowIssue } from '../../src/fhir/index.ts'
import { exportedTypes } from '../../src/source/index.ts'
import { secret } from '../fixtures/bad-rows.ts'
import { contextWith, rowOf } from '../fixtures/rows.ts'
import { findProblems } from '../fixtures/validators.ts'

function issueOf (run: () => unknown, id: string | null) {
  try {
    run()
  } catch (error) {
    return toRowIssue(error, 'Patient', id)
  }
}

t.test('a row that cannot be exported becomes a line that names the row and the element', async t => {
  const row = rowOf('patients', { id: 'p-1', name: [{ given: ['Ada', 1] }] })
  const issue = issueOf(() => serializers.Patient(row, contextWith()), row.id)
  const outcome = toOperationOutcome(issue!)
  t.strictSame(outcome, {
    resourceType: 'OperationOutcome',
    issue: [{
      severity: 'error',
      code: 'invalid',
      diagnostics: 'Patient/p-1: Patient.name[0].given[1] must be a string',
      expression: ['Patient.name[0].given[1]'],
    }],
  })
  t.strictSame(findProblems(outcome), [])
})

t.test('an id that is none might be somebody\'s name: it is not shown', async t => {
  const row = rowOf('patients', { id: secret })
  const outcome = toOperationOutcome(issueOf(() => serializers.Patient(row, contextWith()), row.id)!)
  t.match(outcome.issue[0]?.diagnostics, 'A Patient without a usable id: Patient.id must be')
  t.notMatch(JSON.stringify(outcome), secret)
})

t.test('something left out of a resource becomes a warning', async t => {
  const outcome = toOperationOutcome({ severity: 'warning', type: 'DocumentReference', id: 'd-1', path: 'content[0].attachment.url', problem: 'is left out' })
  t.match(outcome.issue, [{ severity: 'warning', code: 'incomplete', expression: ['DocumentReference.content[0].attachment.url'] }])
  t.strictSame(findProblems(outcome), [])
})

t.test('an error that is not about a row is not taken for one', async t => {
  t.equal(toRowIssue(new Error('disk full'), 'Patient', 'p-1'), undefined)
  t.match(toRowIssue(new ElementError('is wrong', 'x'), 'Patient', 'p-1'), { id: 'p-1', path: 'x', problem: 'is wrong' })
})

t.test('every exported type has its serializer', async t => {
  t.strictSame(Object.keys(serializers), exportedTypes)
})
