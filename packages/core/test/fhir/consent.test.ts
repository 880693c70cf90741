import t from 'tap'
import { toConsent } from '../../src/fhir/index.ts'
import type { Column } from '../../src/source/relations.ts'
import { assertBadRows, secret, type BadRow } from '../fixtures/bad-rows.ts'
import { contextWith, rowOf } from '../fixtures/rows.ts'
import { findProblems } from '../fixtures/validators.ts'

type Values = Partial<Record<Column<'consents'>, unknown>>

const recipient = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP', display: 'information recipient' }] }
const optIn = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN', display: 'opt-in' }] }
const optOut = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT', display: 'op-out' }] }
const consentOf = (values: Values) => toConsent(rowOf('consents', { status: 'active', ...values }), contextWith())

t.test('a row of scalars becomes a Consent: defaults, a policy rule, the decision in a nested provision', async t => {
  const consent = consentOf({
    id: 'c-1',
    date_time: '2024-02-29 08:00:00+00',
    period_start: '2024',
    period_end: '2030',
    decision: 'permit',
    recipients: [{ reference: 'Organization/7', display: 'Clinic' }, { reference: 'Patient/p-2' }],
  })
  t.strictSame(consent, {
    resourceType: 'Consent',
    id: 'c-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy', display: 'Privacy Consent' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0', display: 'Consent Document' }] }],
    patient: { reference: 'Patient/p-1' },
    dateTime: '2024-02-29T08:00:00Z',
    provision: {
      period: { start: '2024', end: '2030' },
      provision: [{
        type: 'permit',
        actor: [
          { role: recipient, reference: { type: 'Organization', identifier: { value: '7' }, display: 'Clinic' } },
          { role: recipient, reference: { reference: 'Patient/p-2' } },
        ],
      }],
    },
    status: 'active',
    policyRule: optIn,
  })
  t.strictSame(findProblems(consent), [])
})

t.test('what a row has stands in place of every default', async t => {
  const consent = consentOf({
    identifier: [{ value: '1' }],
    status: 'draft',
    scope: { text: 'treatment' },
    category: [{ text: 'a form' }],
    performer: [{ reference: 'Patient/p-1' }],
    organization: [{ display: 'Clinic' }],
    source_reference: { reference: 'DocumentReference/d-1' },
    policy: [{ authority: 'https://law.example.org', uri: 'https://law.example.org/1' }],
    policy_rule: { text: 'own rule' },
    verification: [{ verified: true, verifiedWith: { reference: 'Patient/p-1' }, verificationDate: '2024' }],
    decision: 'deny',
    provision: {
      period: { start: '2020' },
      dataPeriod: { end: '2022' },
      purpose: [{ code: 'TREAT' }],
      data: [{ meaning: 'instance', reference: { reference: 'Observation/1' } }],
      provision: [{ type: 'permit', class: [{ code: 'x' }], provision: [{ type: 'deny', code: [{ text: 'y' }] }] }],
    },
    period_end: '2030-01-01',
  })
  t.match(consent, {
    scope: { text: 'treatment' },
    category: [{ text: 'a form' }],
    policyRule: { text: 'own rule' },
    sourceReference: { reference: 'DocumentReference/d-1' },
  })
  t.strictSame(consent.provision, {
    period: { start: '2020', end: '2030-01-01' },
    dataPeriod: { end: '2022' },
    purpose: [{ code: 'TREAT' }],
    data: [{ meaning: 'instance', reference: { type: 'Observation', identifier: { value: '1' } } }],
    provision: [
      { type: 'permit', class: [{ code: 'x' }], provision: [{ type: 'deny', code: [{ text: 'y' }] }] },
      { type: 'deny' },
    ],
  })
  t.strictSame(findProblems(consent), [])
})

t.test('the policy rule follows the decision, unless a policy has a uri', async t => {
  t.strictSame(consentOf({ decision: 'deny' }).policyRule, optOut)
  t.strictSame(consentOf({ decision: 'permit', policy: [{ authority: 'https://law.example.org' }] }).policyRule, optIn)
  t.equal(consentOf({ decision: 'permit', policy: [{ uri: 'https://law.example.org/1' }] }).policyRule, undefined)
})

t.test('a decision in the root rule moves to where R4 has it, one rule below, with its conditions', async t => {
  const consent = consentOf({
    policy_rule: { text: 'x' },
    provision: { type: 'permit', period: { start: '2020' }, purpose: [{ code: 'TREAT' }], provision: [{ type: 'deny', class: [{ code: 'z' }] }] },
  })
  t.strictSame(consent.provision, {
    period: { start: '2020' },
    provision: [{ type: 'permit', purpose: [{ code: 'TREAT' }], provision: [{ type: 'deny', class: [{ code: 'z' }] }] }],
  })
})

t.test('a consent that no longer holds is inactive', async t => {
  const statusOf = (status: string, end: string | null, asOf = '2024-06-01T00:00:00Z') =>
    toConsent(rowOf('consents', { status, period_end: end, decision: 'permit' }), contextWith({ asOf: new Date(asOf) })).status

  t.equal(statusOf('revoked', null), 'inactive')
  t.equal(statusOf('active', null), 'active')
  t.equal(statusOf('active', '2024-05-31'), 'inactive')
  t.equal(statusOf('active', '2024-06-01'), 'active', 'a period includes its last day')
  t.equal(statusOf('active', '2024-06'), 'active', 'and its last month')
  t.equal(statusOf('active', '2024'), 'active', 'and its last year')
  t.equal(statusOf('active', '2023'), 'inactive')
  t.equal(statusOf('active', '2024-05-31T23:59:59.999Z'), 'inactive')
  t.equal(statusOf('active', '2024-06-01 02:00:00+03'), 'inactive')
  t.equal(statusOf('active', '2024-06-01T00:00:00Z'), 'active')
  t.equal(statusOf('rejected', '2020'), 'rejected', 'other statuses do not claim that it holds')
  t.equal(statusOf('entered-in-error', '2020'), 'entered-in-error')
  t.equal(toConsent(rowOf('consents', { status: 'active', decision: 'permit', provision: { period: { end: '2020' } } }), contextWith()).status, 'inactive')
})

const bad: Array<BadRow<Values>> = [
  [{ patient_id: null }, 'patient', 'is required'],
  [{ status: null }, 'status', 'is required'],
  [{ status: secret }, 'status', 'must be one of draft'],
  [{ decision: null }, 'policyRule', 'is required where there is no policy'],
  [{ decision: secret }, 'provision.provision.type', 'must be one of permit, deny'],
  [{ decision: null, recipients: [{ display: 'x' }] }, 'provision.provision.type', 'is required where there are recipients'],
  [{ recipients: [{ reference: 'Observation/1' }] }, 'provision.provision.actor[0]', 'must refer to one of Device'],
  [{ recipients: { display: 'x' } }, 'provision.provision.actor', 'must be an array'],
  [{ provision: { provision: [{ purpose: [{ code: 'x' }] }] } }, 'provision.provision[0].type', 'is required in a nested rule'],
  [{ provision: { actor: [{ reference: { display: 'x' } }] } }, 'provision.actor[0].role', 'is required'],
  [{ provision: { data: [{ meaning: secret }] } }, 'provision.data[0].meaning', 'must be one of instance'],
  [{ provision: { period: { start: '2024' } }, period_end: '2020' }, 'provision.period', 'must not end before it starts'],
  [{ provision: nest(40) }, `provision${'.provision[0]'.repeat(33)}`, 'is nested too deeply'],
  [{ period_start: secret }, 'provision.period.start', 'must be a dateTime'],
  [{ verification: [{ verificationDate: '2020' }] }, 'verification[0].verified', 'is required'],
  [{ verification: [{ verified: 'yes' }] }, 'verification[0].verified', 'must be true or false'],
  [{ source_attachment: { title: 'x' }, source_reference: { display: 'x' } }, 'sourceReference', 'must not stand beside sourceAttachment'],
  [{ policy: [{ uri: secret }] }, 'policy[0].uri', 'must be a URI'],
  [{ scope: secret }, 'scope', 'must be JSON'],
]

function nest (depth: number): object {
  return depth === 0 ? { type: 'deny' } : { type: 'deny', provision: [nest(depth - 1)] }
}

t.test('a row that cannot be a Consent is an error that names the element and shows no content', async t => {
  assertBadRows(t, values => consentOf({ decision: 'permit', ...values }), bad)
})
