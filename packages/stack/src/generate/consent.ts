import type { Consent, ConsentProvision, ConsentProvisionActor, DocumentReference } from 'fhir/r4.js'
import * as codes from './codes.ts'
import { dayMs, randomTime, todayMs, toDate, toDateTime, toPartialDate } from './dates.ts'
import type { GeneratedPatient } from './patient.ts'
import type { Random } from './random.ts'
import { elsewhere, organization, practitioner } from './references.ts'

/** Further ahead than anybody will run this: an active consent past its period would be exported as inactive. */
const validUntilMs = Date.UTC(2090, 0, 1)

export function generateConsent ({ patient, bornMs, lastSeenMs }: GeneratedPatient, documents: DocumentReference[], random: Random): Consent {
  const signedMs = randomTime(random, Math.max(bornMs, lastSeenMs - 3_650 * dayMs), lastSeenMs)
  const status = random.chance(0.85) ? 'active' : random.pick(['inactive', 'rejected', 'draft', 'proposed', 'entered-in-error'] as const)
  const decision = random.chance(0.75) ? 'permit' : 'deny'
  const subject = { reference: `Patient/${patient.id}` }
  const document = documents[0]

  const consent: Consent = {
    resourceType: 'Consent',
    id: random.uuid(),
    status,
    scope: random.chance(0.85) ? codes.privacyScope : codes.researchScope,
    category: random.chance(0.2) ? [codes.consentDocument, codes.disclosure] : [codes.consentDocument],
    patient: subject,
    provision: provision(random, { decision, signedMs, ended: status === 'inactive', document }),
  }
  if (random.chance(0.4)) consent.identifier = [{ system: 'https://example.org/consents', value: `C-${random.integer(1, 9_999_999)}` }]
  if (random.chance(0.95)) consent.dateTime = random.chance(0.1) ? toPartialDate(signedMs, random) : toDateTime(signedMs, random)
  if (random.chance(0.7)) consent.performer = [random.chance(0.8) ? subject : elsewhere('RelatedPerson', codes.systems.relatedPerson, random.uuid(), 'Guardian')]
  if (random.chance(0.7)) consent.organization = [organization(random)]
  if (random.chance(0.2)) {
    consent.sourceAttachment = { contentType: 'text/plain', data: Buffer.from(`I ${decision} the use of my records.`).toString('base64'), title: 'Signed form' }
  } else if (document !== undefined && random.chance(0.1)) {
    consent.sourceReference = { reference: `DocumentReference/${document.id}` }
  }
  // ppc-1: a policy or a rule
  if (random.chance(0.3)) consent.policy = [{ authority: 'https://www.hhs.gov', uri: 'https://www.hhs.gov/hipaa/index.html' }]
  else consent.policyRule = decision === 'permit' ? codes.optIn : codes.optOut
  if (random.chance(0.2)) consent.verification = [{ verified: true, verifiedWith: subject, verificationDate: toDateTime(signedMs + dayMs, random) }]
  return consent
}

interface Terms { decision: 'permit' | 'deny', signedMs: number, ended: boolean, document: DocumentReference | undefined }

function provision (random: Random, { decision, signedMs, ended, document }: Terms): ConsentProvision {
  const rule: ConsentProvision = { type: decision, actor: [actor(random)] }
  const root: ConsentProvision = {
    period: { start: toDate(signedMs), ...(ended ? { end: toDate(Math.min(signedMs + 365 * dayMs, todayMs)) } : random.chance(0.3) ? { end: toDate(validUntilMs) } : {}) },
    provision: [rule],
  }
  if (random.chance(0.1)) rule.actor?.push(actor(random))
  if (random.chance(0.25)) enrich(rule, random, document)
  // An exception to the rule.
  if (random.chance(0.1)) {
    rule.provision = [{ type: decision === 'permit' ? 'deny' : 'permit', purpose: [random.pick(codes.purposes)], securityLabel: codes.confidentiality[2]?.coding ?? [] }]
  }
  return root
}

function enrich (rule: ConsentProvision, random: Random, document: DocumentReference | undefined): void {
  rule.action = [random.pick(codes.consentActions)]
  rule.purpose = [random.pick(codes.purposes)]
  if (random.chance(0.5)) rule.securityLabel = random.pick(codes.confidentiality).coding ?? []
  if (random.chance(0.3)) rule.class = [codes.documentReferenceClass]
  if (random.chance(0.3)) rule.code = [random.pick(codes.documentTypes)]
  if (random.chance(0.3)) rule.dataPeriod = { start: '2001', end: '2020-12' }
  if (document !== undefined && random.chance(0.5)) rule.data = [{ meaning: 'instance', reference: { reference: `DocumentReference/${document.id}` } }]
}

function actor (random: Random): ConsentProvisionActor {
  return { role: codes.recipient, reference: random.chance(0.6) ? organization(random) : practitioner(random) }
}
