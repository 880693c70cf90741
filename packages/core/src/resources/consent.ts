import { toConcept } from './coding.ts'
import { constant, define, type Texts, type Written } from './definition.ts'
import { parseExact, stringifyExact } from './exact-json.ts'
import { patientReference } from './patient-reference.ts'
import { remember } from './remember.ts'
import { ValueProblem } from './value-problem.ts'

/** https://hl7.org/fhir/R4/consent.html */
export const consent = define('Consent', 'consents', {
  over: {
    identifier: 'identifier',
    status: 'status',
    scope: 'scope',
    category: 'category',
    date_time: 'dateTime',
    performer: 'performer',
    organization: 'organization',
    source_attachment: 'sourceAttachment',
    source_reference: 'sourceReference',
    policy: 'policy',
    policy_rule: 'policyRule',
    verification: 'verification',
    provision: 'provision',
    period_start: 'provision.period.start',
    period_end: 'provision.period.end',
  },
  other: { decision: 'text', recipients: 'json' },
  attachments: ['source_attachment'],
  spellings: { status: { revoked: 'inactive' } },
  append: { 'provision.provision': { from: ['decision', 'recipients'], toItem: toRule } },
  fill: { policyRule: toPolicyRule },
  defaults: {
    patient: patientReference,
    scope: constant(toConcept('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy', 'Privacy Consent')),
    category: constant(`[${toConcept('http://loinc.org', '59284-0', 'Consent Document')}]`),
  },
})

const informationRecipient: unknown = JSON.parse(toConcept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP',
  'information recipient'))
const policyRules = {
  permit: toConcept('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'OPTIN', 'opt-in'),
  deny: toConcept('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'OPTOUT',
    'op-out'), // HL7's own spelling: a display must match its code system
}

/** The rule that `decision` and `recipients` make: a nested provision, for a root rule has no type (Consent.provision.type). */
function toRule ({ decision, recipients }: Texts): string | undefined {
  const actor = toActor(recipients ?? '[]')
  if (decision === undefined || decision === '') {
    if (actor !== '') throw new ValueProblem('needs a decision where there are recipients')
    return undefined
  }
  assertDecision(decision)
  return `{"type":"${decision}"${actor}}`
}

const toActor = remember(function makeActor (recipients: string): string {
  const references = parseExact(recipients)
  if (!Array.isArray(references)) throw new ValueProblem('needs an array of References in the column recipients')
  return references.length === 0
    ? ''
    : `,"actor":${stringifyExact(references.map((reference: unknown) => ({ role: informationRecipient, reference })))}`
})

/** ppc-1: a Consent names its policy. A decision alone stands for the policy of opting in or out. */
function toPolicyRule ({ decision }: Texts, written: Written): string | undefined {
  if (decision === undefined || decision === '') return undefined
  assertDecision(decision)
  const policy = written('policy')
  const policies: Array<{ uri?: unknown }> = policy === undefined ? [] : JSON.parse(policy)
  if (policies.some(({ uri }) => uri !== undefined)) return undefined
  return policyRules[decision]
}

function assertDecision (decision: string): asserts decision is keyof typeof policyRules {
  if (decision !== 'permit' && decision !== 'deny') throw new ValueProblem('must be permit or deny where it is made of the column decision')
}
