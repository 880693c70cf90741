import t from 'tap'
import { assertBadRows, secret, type BadRow } from '../fixtures/bad-rows.ts'
import { lineOf, type Values } from '../fixtures/lines.ts'
import { findProblems } from '../fixtures/validators.ts'

const recipient = {
  coding: [{
    system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP',
    display: 'information recipient'
  }]
}
const optIn = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN', display: 'opt-in' }] }
const optOut = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT', display: 'op-out' }] }
const consentOf = (values: Values) => lineOf('Consent', { status: 'active', ...values }).resource

t.test('a row of scalars becomes a Consent: defaults, a policy rule, the decision in a nested provision', async (t) => {
  const consent = consentOf({
    id: 'c-1',
    date_time: '2024-02-29T08:00:00+02:00',
    period_start: '2024',
    period_end: '2030',
    decision: 'permit',
    recipients: [{ reference: 'Organization/7', display: 'Clinic' }, { reference: 'Patient/p-2' }],
  })
  t.strictSame(consent, {
    resourceType: 'Consent',
    id: 'c-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
    scope: {
      coding: [{
        system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy',
        display: 'Privacy Consent'
      }]
    },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0', display: 'Consent Document' }] }],
    patient: { reference: 'Patient/p-1' },
    dateTime: '2024-02-29T08:00:00+02:00',
    provision: {
      period: { start: '2024', end: '2030' },
      provision: [{
        type: 'permit',
        actor: [
          { role: recipient, reference: { reference: 'Organization/7', display: 'Clinic' } },
          { role: recipient, reference: { reference: 'Patient/p-2' } },
        ],
      }],
    },
    status: 'active',
    policyRule: optIn,
  })
  t.strictSame(findProblems(consent), [])
})

t.test('what a row has stands in place of every default', async (t) => {
  const provision = {
    type: 'permit',
    period: { start: '2020' },
    dataPeriod: { end: '2022' },
    purpose: [{ code: 'TREAT' }],
    data: [{ meaning: 'instance', reference: { reference: 'Observation/1' } }],
    provision: [{ type: 'permit', class: [{ code: 'x' }], provision: [{ type: 'deny', code: [{ text: 'y' }] }] }],
  }
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
    provision,
    period_end: '2030-01-01',
  })
  t.match(consent, {
    scope: { text: 'treatment' },
    category: [{ text: 'a form' }],
    policyRule: { text: 'own rule' },
    sourceReference: { reference: 'DocumentReference/d-1' },
  })
  t.strictSame(consent.provision, {
    ...provision,
    period: { start: '2020', end: '2030-01-01' },
    provision: [...provision.provision, { type: 'deny' }],
  }, 'a root rule keeps its type')
  t.strictSame(findProblems(consent), [])
})

t.test('the policy rule follows the decision, unless a policy has a uri', async (t) => {
  t.strictSame(consentOf({ decision: 'deny' }).policyRule, optOut)
  t.strictSame(consentOf({ decision: 'permit', policy: [{ authority: 'https://law.example.org' }] }).policyRule, optIn)
  t.equal(consentOf({ decision: 'permit', policy: [{ uri: 'https://law.example.org/1' }] }).policyRule, undefined)
})

t.test('revoked is inactive; the status is not derived from a period', async (t) => {
  t.equal(consentOf({ status: 'revoked' }).status, 'inactive')
  t.equal(consentOf({ status: 'active', period_end: '2020' }).status, 'active')
})

t.test('the decision makes a rule of its own beside a list of which nothing is left', async (t) => {
  for (const provision of [{ provision: [{}] }, { provision: [] }, { provision: [{ purpose: [{}] }, null] }]) {
    t.strictSame(consentOf({ provision, period_end: '2019', decision: 'permit' }).provision,
      { period: { end: '2019' }, provision: [{ type: 'permit' }] })
  }
})

t.test('recipients keep the digits of their decimals', async (t) => {
  const { line } = lineOf('Consent', {
    status: 'active', decision: 'permit',
    recipients: '[{"display":"x","extension":[{"url":"http://example.org/x","valueDecimal":10.00}]}]'
  })
  t.match(line, '"valueDecimal":10.00}')
})

const bad: BadRow[] = [
  [{ patient_id: secret }, 'patient', 'patient_id'],
  [{ status: null }, 'status', 'is required'],
  [{ status: secret }, 'status', 'must be one of draft'],
  [{ decision: secret }, 'provision.provision', 'must be permit or deny'],
  [{ decision: null, recipients: [{ display: 'x' }] }, 'provision.provision', 'needs a decision'],
  [{ recipients: { display: 'x' } }, 'provision.provision', 'needs an array'],
  [{ recipients: secret }, 'provision.provision', 'must be JSON'],
  [{ recipients: [{ name: secret }] }, 'provision.provision.actor[0].reference.name', 'is not an element'],
  [{ provision: { actor: [{ reference: { display: 'x' } }] } }, 'provision.actor[0].role', 'is required'],
  [{ provision: { data: [{ meaning: secret }] } }, 'provision.data[0].meaning', 'must be one of instance'],
  [{ provision: nest(300) }, `provision${'.provision[0]'.repeat(199)}`, 'is nested too deeply'],
  [{ period_start: secret }, 'provision.period.start', 'must be a dateTime'],
  [{ verification: [{ verificationDate: '2020' }] }, 'verification[0].verified', 'is required'],
  [{ verification: [{ verified: 'yes' }] }, 'verification[0].verified', 'must be true or false'],
  [{ source_attachment: { title: 'x' }, source_reference: { display: 'x' } }, 'source[x]', 'must stand only once'],
  [{ policy: [{ uri: secret }] }, 'policy[0].uri', 'must be a URI'],
  [{ scope: secret }, 'scope', 'must be an object'],
]

function nest (depth: number): object {
  return depth === 0 ? { type: 'deny' } : { type: 'deny', provision: [nest(depth - 1)] }
}

t.test('a row that cannot be a Consent is an issue that names the element and shows no content', async (t) => {
  assertBadRows(t, 'Consent', { status: 'active', decision: 'permit' }, bad)
})
