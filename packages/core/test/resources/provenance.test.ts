import t from 'tap'
import { assertBadRows, secret, type BadRow } from '../fixtures/bad-rows.ts'
import { lineOf, type Values } from '../fixtures/lines.ts'
import { findProblems } from '../fixtures/validators.ts'

const base = { id: 'e-1', target: [{ reference: 'DocumentReference/d-1' }], recorded: '2024-01-31T09:30:00Z' }
const provenanceOf = (values: Values) => lineOf('Provenance', { ...base, ...values }).resource

t.test('an event of which little is known becomes a Provenance that says so', async (t) => {
  const provenance = provenanceOf({})
  t.strictSame(provenance, {
    resourceType: 'Provenance',
    id: 'e-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
    target: [{ reference: 'DocumentReference/d-1' }],
    recorded: '2024-01-31T09:30:00Z',
    agent: [{ who: { display: 'Unknown' } }],
  })
  t.strictSame(findProblems(provenance), [])
})

t.test('a full row becomes a full Provenance', async (t) => {
  const same = {
    target: [{ reference: 'Patient/p-1' }, { reference: 'Observation/3/_history/2' }, { reference: 'Consent/c-1/_history/2' }],
    policy: ['https://law.example.org/1'],
    location: { reference: 'Location/4' },
    reason: [{ text: 'treatment' }],
    activity: { text: 'dictated' },
    agent: [{
      type: { text: 'author' },
      role: [{ text: 'doctor' }],
      who: { reference: 'Practitioner?identifier=http%3A%2F%2Fhl7.org%2Ffhir%2Fsid%2Fus-npi%7C99', display: 'Dr. Kunze' },
      onBehalfOf: { reference: 'urn:uuid:78eb1ea7-7e46-5eba-a5d7-108eba5d294b' },
    }],
    entity: [{ role: 'source', what: { reference: 'DocumentReference/d-0' }, agent: [{ who: { display: 'X' } }] }],
  }
  const provenance = provenanceOf({ ...same, occurred_period_start: '2024-01', occurred_period_end: '2024-02', action: 'UPDATE' })
  t.strictSame(provenance, {
    ...same,
    resourceType: 'Provenance',
    id: 'e-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
    recorded: '2024-01-31T09:30:00Z',
    occurredPeriod: { start: '2024-01', end: '2024-02' },
  })
  t.strictSame(findProblems(provenance), [])
})

t.test('a column of nothing is as one that is NULL', async (t) => {
  for (const agent of [null, [], [{}], [{ who: {} }], [null]]) {
    t.strictSame(provenanceOf({ agent }).agent, [{ who: { display: 'Unknown' } }])
  }
})

t.test('a time of the event wins over a period', async (t) => {
  const provenance = provenanceOf({ occurred_date_time: '2024-01-30', occurred_period_start: '2024' })
  t.equal(provenance.occurredDateTime, '2024-01-30')
  t.notOk('occurredPeriod' in provenance)
})

t.test('an action becomes the activity, in the words of its code system', async (t) => {
  const displays = { CREATE: 'create', UPDATE: 'revise', DELETE: 'delete', APPEND: 'append', NULLIFY: 'nullify' }
  for (const [action, display] of Object.entries(displays)) {
    t.strictSame(provenanceOf({ action }).activity,
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation', code: action, display }] })
  }
  t.strictSame(findProblems(provenanceOf({ action: 'NULLIFY' })), [])
})

t.test('an event may belong to no patient', async (t) => {
  t.equal(provenanceOf({ patient_id: null }).id, 'e-1')
})

const bad: BadRow[] = [
  [{ action: 'VIEW' }, 'activity', 'must be one of CREATE'],
  [{ action: secret }, 'activity', 'must be one of CREATE'],
  [{ target: null }, 'target', 'is required'],
  [{ target: [] }, 'target', 'is required'],
  [{ recorded: null }, 'recorded', 'is required'],
  [{ recorded: 0x7fff_ffff_ffff_ffffn }, 'recorded', 'must be an instant'],
  [{ agent: [{ type: { text: 'device' } }] }, 'agent[0].who', 'is required'],
  [{ agent: { who: { display: 'x' } } }, 'agent', 'must be an array'],
  [{ entity: [{ what: { display: 'x' } }] }, 'entity[0].role', 'is required'],
  [{ entity: [{ role: secret }] }, 'entity[0].role', 'must be one of derivation'],
  [{ policy: [secret] }, 'policy[0]', 'must be a URI'],
  [{ occurred_date_time: secret }, 'occurredDateTime', 'must be a dateTime'],
]

t.test('a row that cannot be a Provenance is an issue that names the element and shows no content', async (t) => {
  assertBadRows(t, 'Provenance', base, bad)
})
