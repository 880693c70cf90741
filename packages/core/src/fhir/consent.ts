import type { Consent, ConsentPolicy, ConsentProvision, ConsentVerification, Reference } from 'fhir/r4.js'
import { attachment } from './attachment.ts'
import { consentDocument, informationRecipient, patientPrivacy, policyRules } from './codings.ts'
import { columnsOf } from './columns.ts'
import { decision, recipients, rootRule } from './consent-provision.ts'
import { checkPeriod, codeableConcept, identifier, reference } from './datatypes.ts'
import { ElementError } from './element-error.ts'
import { boolean, codeOf, dateTime, uri } from './primitives.ts'
import { list, object, readAt, type Scope } from './reading.ts'
import { finish, readId, readMeta, readPatient, readPeriod, toScope, type SerializerContext } from './row.ts'
import { endOf } from './times.ts'
import type { SourceRow } from '../source/relations.ts'

type Row = SourceRow<'consents'>

export const consentStatus = codeOf('draft', 'proposed', 'active', 'rejected', 'inactive', 'entered-in-error')

/** What a row holds of a Consent, https://hl7.org/fhir/R4/consent.html */
export const consentColumns = columnsOf<Consent, 'consents'>('consents', {
  identifier: ['identifier', list(identifier)],
  scope: ['scope', codeableConcept],
  category: ['category', list(codeableConcept)],
  dateTime: ['date_time', dateTime],
  performer: ['performer', list(reference('Organization', 'Patient', 'Practitioner', 'RelatedPerson', 'PractitionerRole'))],
  organization: ['organization', list(reference('Organization'))],
  sourceAttachment: ['source_attachment', attachment],
  sourceReference: ['source_reference', reference('Consent', 'DocumentReference', 'Contract', 'QuestionnaireResponse')],
  policy: ['policy', list(object<ConsentPolicy>({ authority: uri, uri }))],
  policyRule: ['policy_rule', codeableConcept],
  verification: ['verification', list(object<ConsentVerification>({
    verified: boolean,
    verifiedWith: reference('Patient', 'RelatedPerson'),
    verificationDate: dateTime,
  }, ['verified']))],
  provision: ['provision', rootRule],
})

/** The rule that the scalar columns make: who may or may not receive. */
const decisionColumns = columnsOf<Decision, 'consents'>('consents', { type: ['decision', decision], actor: ['recipients', recipients] })
type Rule = ConsentProvision & { type: 'permit' | 'deny' }
interface Decision { type?: 'permit' | 'deny', actor?: Reference[] }

/** A row of source.consents as a Consent. Throws ElementError. */
export function toConsent (row: Row, context: SerializerContext): Consent {
  const scope = toScope(context)
  const consent: Partial<Consent> = {
    resourceType: 'Consent',
    id: readId(row.id, 'id'),
    meta: readMeta(row.updated_at, scope),
    scope: patientPrivacy,
    category: [consentDocument],
    patient: readPatient(row.patient_id, 'patient'),
  }
  consentColumns.toElements(row, consent, scope)
  const decided = readAt('provision.provision', row, readDecision, scope)
  const provision = withRule(consent.provision, decided, row, scope)
  if (provision !== undefined) consent.provision = provision
  const status = readStatus(row.status, provision, context.asOf, scope)
  if (status !== undefined) consent.status = status
  const byUri = consent.policy?.some(policy => policy.uri !== undefined) ?? false
  if (decided !== undefined && consent.policyRule === undefined && !byUri) consent.policyRule = policyRules[decided.type]

  checkConsent(consent)
  return finish<Consent>(consent, ['status'], scope, context)
}

/** ppc-1, and the one source that a Consent may have. */
export function checkConsent (consent: Partial<Consent>): void {
  if (consent.policy === undefined && consent.policyRule === undefined) {
    throw new ElementError('is required where there is no policy', 'policyRule')
  }
  if (consent.sourceAttachment !== undefined && consent.sourceReference !== undefined) {
    throw new ElementError('must not stand beside sourceAttachment', 'sourceReference')
  }
}

function readDecision (row: Row, scope: Scope): Rule | undefined {
  const { type, actor } = decisionColumns.toElements(row, {}, scope)
  if (type === undefined) {
    if (actor !== undefined) throw new ElementError('is required where there are recipients', 'type')
    return undefined
  }
  return actor === undefined ? { type } : { type, actor: actor.map(reference => ({ role: informationRecipient, reference })) }
}

/** The root rule with what has columns of its own: its period, and the decision as a rule below it. */
function withRule (stored: ConsentProvision | undefined, decided: Rule | undefined, row: Row, scope: Scope): ConsentProvision | undefined {
  const dates = readPeriod(row.period_start, row.period_end, 'provision.period', scope)
  if (dates === undefined && decided === undefined) return stored
  const root = { ...stored }
  if (dates !== undefined) root.period = readAt('provision.period', { ...root.period, ...dates }, checkPeriod, scope) ?? dates
  if (decided !== undefined) root.provision = [...root.provision ?? [], decided]
  return root
}

/** A consent that no longer holds must not look as if it did. */
function readStatus (text: string | null, provision: ConsentProvision | undefined, asOf: Date, scope: Scope): Consent['status'] | undefined {
  const status = text === 'revoked' ? 'inactive' : readAt('status', text, consentStatus, scope)
  const end = provision?.period?.end
  return status === 'active' && end !== undefined && endOf(end) < asOf.getTime() ? 'inactive' : status
}
