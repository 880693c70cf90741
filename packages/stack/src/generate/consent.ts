import type { Attachment, ConsentProvision, Reference } from 'fhir/r4.js'
import * as codes from './codes.ts'
import { dayMs, randomTime, todayMs, toDate, toDateTime, toPartialDate } from './dates.ts'
import type { DocumentRow } from './document-reference.ts'
import type { GeneratedPatient } from './patient.ts'
import type { Random } from './random.ts'
import { elsewhere, organization, practitioner } from './references.ts'

type Decision = 'permit' | 'deny'

const validUntilMs = Date.UTC(2090, 0, 1)

/** A row of source.consents. */
export function generateConsent ({ patient, bornMs, lastSeenMs }: GeneratedPatient, documents: DocumentRow[], random: Random) {
  const signedMs = randomTime(random, Math.max(bornMs, lastSeenMs - 3_650 * dayMs), lastSeenMs)
  const status = random.chance(0.85)
    ? 'active'
    : random.pick(['inactive', 'revoked', 'rejected', 'draft', 'proposed', 'entered-in-error'] as const)
  const decision = random.chance(0.75) ? 'permit' : 'deny'
  const subject = { reference: `Patient/${patient.id}` }
  const document = documents[0]
  const isScanned = document !== undefined && random.chance(0.1)
  const hasConditions = random.chance(0.25)
  const hasOwnRule = random.chance(0.3)

  return {
    id: random.uuid(),
    patient_id: patient.id,
    identifier: random.maybe(0.4, () => [{ system: 'https://example.org/consents', value: `C-${random.integer(1, 9_999_999)}` }]),
    status,
    scope: random.maybe(0.15, () => codes.researchScope), // the default is privacy
    category: random.maybe(0.2, () => [codes.consentDocument, codes.disclosure]),
    date_time: random.maybe(0.95, () => random.chance(0.1) ? toPartialDate(signedMs, random) : toDateTime(signedMs, random)),
    performer: random.maybe(0.7, () => [
      random.chance(0.8) ? subject : elsewhere('RelatedPerson', codes.systems.relatedPerson, random.uuid(), 'Guardian'),
    ]),
    organization: random.maybe(0.7, () => [organization(random)]),
    source_attachment: isScanned ? null : random.maybe(0.2, () => toForm(decision)),
    source_reference: isScanned ? { reference: `DocumentReference/${document.id}` } : null,
    policy: hasOwnRule
      ? null
      : random.maybe(0.3, () => [{ authority: 'https://www.hhs.gov', uri: 'https://www.hhs.gov/hipaa/index.html' }]),
    policy_rule: hasOwnRule ? (decision === 'permit' ? codes.optIn : codes.optOut) : null,
    verification: random.maybe(0.2, () => [{
      verified: true, verifiedWith: subject, verificationDate: toDateTime(signedMs + dayMs, random),
    }]),
    period_start: toDate(signedMs),
    period_end: status === 'inactive' || status === 'revoked'
      ? toDate(Math.min(signedMs + 365 * dayMs, todayMs))
      : random.maybe(0.3, () => toDate(validUntilMs)),
    decision,
    recipients: hasConditions ? null : recipients(random),
    provision: hasConditions ? { provision: [rule(decision, document, random)] } : null,
  }
}

function toForm (decision: Decision): Attachment {
  return { contentType: 'text/plain', data: Buffer.from(`I ${decision} the use of my records.`).toString('base64'), title: 'Signed form' }
}

function recipients (random: Random): Reference[] {
  const all = [recipient(random)]
  return random.chance(0.1) ? [...all, recipient(random)] : all
}

/** What is permitted or denied with conditions, in FHIR's own shape. */
function rule (decision: Decision, document: DocumentRow | undefined, random: Random): ConsentProvision {
  const rule: ConsentProvision = { type: decision, actor: [{ role: codes.recipient, reference: recipient(random) }] }
  enrich(rule, random, document)
  // An exception to the rule.
  if (random.chance(0.3)) {
    rule.provision = [{
      type: decision === 'permit' ? 'deny' : 'permit', purpose: [random.pick(codes.purposes)],
      securityLabel: codes.confidentiality[2]?.coding ?? [],
    }]
  }
  return rule
}

function enrich (rule: ConsentProvision, random: Random, document: DocumentRow | undefined): void {
  rule.action = [random.pick(codes.consentActions)]
  rule.purpose = [random.pick(codes.purposes)]
  if (random.chance(0.5)) rule.securityLabel = random.pick(codes.confidentiality).coding ?? []
  if (random.chance(0.3)) rule.class = [codes.documentReferenceClass]
  if (random.chance(0.3)) rule.code = [random.pick(codes.documentTypes)]
  if (random.chance(0.3)) rule.dataPeriod = { start: '2001', end: '2020-12' }
  if (document !== undefined && random.chance(0.5)) {
    rule.data = [{ meaning: 'instance', reference: { reference: `DocumentReference/${document.id}` } }]
  }
}

function recipient (random: Random): Reference {
  return random.chance(0.6) ? organization(random) : practitioner(random)
}
