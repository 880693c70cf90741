import t from 'tap'
import { toProvenance } from '../../src/fhir/index.ts'
import type { Column } from '../../src/source/relations.ts'
import { assertBadRows, secret, type BadRow } from '../fixtures/bad-rows.ts'
import { contextWith, rowOf } from '../fixtures/rows.ts'
import { findProblems } from '../fixtures/validators.ts'

type Values = Partial<Record<Column<'provenance_events'>, unknown>>

const base = { id: 'e-1', target: [{ reference: 'DocumentReference/d-1' }], recorded: '2024-01-31 09:30:00+00' }
const provenanceOf = (values: Values) => toProvenance(rowOf('provenance_events', { ...base, ...values }), contextWith())
const operation = (code: string, display: string) => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation', code, display }] })

t.test('an event of which little is known becomes a Provenance that says so', async t => {
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

t.test('a full row becomes a full Provenance', async t => {
  const provenance = provenanceOf({
    target: [{ reference: 'Patient/p-1' }, { reference: 'Observation/3/_history/2' }, { reference: 'Consent/c-1/_history/2' }],
    occurred_period_start: '2024-01',
    occurred_period_end: '2024-02',
    policy: ['https://law.example.org/1'],
    location: { reference: 'Location/4' },
    reason: [{ text: 'treatment' }],
    activity: { text: 'dictated' },
    action: 'UPDATE',
    agent: [{
      type: { text: 'author' },
      role: [{ text: 'doctor' }],
      who: { reference: 'Practitioner?identifier=http%3A%2F%2Fhl7.org%2Ffhir%2Fsid%2Fus-npi%7C99', display: 'Dr. Kunze' },
      onBehalfOf: { reference: 'urn:uuid:78eb1ea7-7e46-5eba-a5d7-108eba5d294b' },
    }, { type: { text: 'device' } }],
    entity: [{ role: 'source', what: { reference: 'DocumentReference/d-0' }, agent: [{ who: { display: 'X' } }] }],
  })
  t.strictSame(provenance, {
    resourceType: 'Provenance',
    id: 'e-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
    target: [{ reference: 'Patient/p-1' }, { type: 'Observation', identifier: { value: '3' } }, { reference: 'Consent/c-1' }],
    recorded: '2024-01-31T09:30:00Z',
    policy: ['https://law.example.org/1'],
    location: { type: 'Location', identifier: { value: '4' } },
    reason: [{ text: 'treatment' }],
    activity: { text: 'dictated' },
    agent: [{
      type: { text: 'author' },
      role: [{ text: 'doctor' }],
      who: { type: 'Practitioner', identifier: { system: 'http://hl7.org/fhir/sid/us-npi', value: '99' }, display: 'Dr. Kunze' },
      onBehalfOf: { identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:78eb1ea7-7e46-5eba-a5d7-108eba5d294b' } },
    }, { type: { text: 'device' }, who: { display: 'Unknown' } }],
    entity: [{ role: 'source', what: { reference: 'DocumentReference/d-0' }, agent: [{ who: { display: 'X' } }] }],
    occurredPeriod: { start: '2024-01', end: '2024-02' },
  })
  t.strictSame(findProblems(provenance), [])
})

t.test('a time of the event wins over a period', async t => {
  const provenance = provenanceOf({ occurred_date_time: '2024-01-30', occurred_period_start: '2024' })
  t.equal(provenance.occurredDateTime, '2024-01-30')
  t.notOk('occurredPeriod' in provenance)
})

t.test('an action becomes the activity, in the words of its code system', async t => {
  t.strictSame(provenanceOf({ action: 'CREATE' }).activity, operation('CREATE', 'create'))
  t.strictSame(provenanceOf({ action: 'UPDATE' }).activity, operation('UPDATE', 'revise'))
  t.strictSame(provenanceOf({ action: 'DELETE' }).activity, operation('DELETE', 'delete'))
  t.strictSame(provenanceOf({ action: 'APPEND' }).activity, operation('APPEND', 'append'))
  t.strictSame(provenanceOf({ action: 'NULLIFY' }).activity, operation('NULLIFY', 'nullify'))
  t.strictSame(findProblems(provenanceOf({ action: 'NULLIFY' })), [])
})

const bad: Array<BadRow<Values>> = [
  [{ action: 'VIEW' }, 'activity', 'must be one of CREATE'],
  [{ action: 'SHARE', activity: { text: 'x' } }, 'activity', 'must be one of CREATE'],
  [{ action: secret }, 'activity', 'must be one of CREATE'],
  [{ patient_id: null }, 'target', 'belongs to no patient'],
  [{ patient_id: secret }, 'target', 'belongs to no patient'],
  [{ target: null }, 'target', 'is required'],
  [{ target: [] }, 'target', 'is required'],
  [{ target: [{ reference: '#x' }] }, 'target[0].reference', 'contained'],
  [{ recorded: null }, 'recorded', 'is required'],
  [{ recorded: 'infinity' }, 'recorded', 'must be an instant'],
  [{ agent: [{ who: { reference: 'Encounter/1' } }] }, 'agent[0].who', 'must refer to one of Practitioner'],
  [{ agent: [{ who: { reference: secret } }] }, 'agent[0].who.reference', 'is not a reference'],
  [{ agent: { who: { display: 'x' } } }, 'agent', 'must be an array'],
  [{ entity: [{ what: { display: 'x' } }] }, 'entity[0].role', 'is required'],
  [{ entity: [{ role: secret }] }, 'entity[0].role', 'must be one of derivation'],
  [{ policy: [secret] }, 'policy[0]', 'must be a URI'],
  [{ occurred_date_time: secret }, 'occurredDateTime', 'must be a dateTime'],
  [{ occurred_period_start: '2024', occurred_period_end: '2023' }, 'occurredPeriod', 'must not end before it starts'],
]

t.test('a row that cannot be a Provenance is an error that names the element and shows no content', async t => {
  assertBadRows(t, provenanceOf, bad)
})
