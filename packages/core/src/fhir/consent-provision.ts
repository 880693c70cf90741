import type { ConsentProvision, ConsentProvisionActor, ConsentProvisionData } from 'fhir/r4.js'
import { codeableConcept, coding, period, reference } from './datatypes.ts'
import { ElementError } from './element-error.ts'
import { codeOf } from './primitives.ts'
import { isEmpty, list, nested, object, refine, type Reader, type Scope } from './reading.ts'

const actors = ['Device', 'Group', 'CareTeam', 'Organization', 'Patient', 'Practitioner', 'RelatedPerson', 'PractitionerRole']

export const decision = codeOf('permit', 'deny')
export const recipients = list(reference(...actors))

const rule: Reader<ConsentProvision> = object<ConsentProvision>({
  type: decision,
  period,
  actor: list(object<ConsentProvisionActor>({ role: codeableConcept, reference: reference(...actors) }, ['role', 'reference'])),
  action: list(codeableConcept),
  securityLabel: list(coding),
  purpose: list(coding),
  class: list(coding),
  code: list(codeableConcept),
  dataPeriod: period,
  data: list(object<ConsentProvisionData>({
    meaning: codeOf('instance', 'related', 'dependents', 'authoredby'),
    reference: reference(),
  }, ['meaning', 'reference'])),
  provision: list(nested(() => nestedRule)),
})

// Consent.provision.type: "Not permitted in root rule, required in all nested rules."
const nestedRule: Reader<ConsentProvision> = refine(rule, function checkNestedRule (given) {
  if (given.type === undefined) throw new ElementError('is required in a nested rule', 'type')
  return given
})

export const rootRule: Reader<ConsentProvision> = refine(rule, withoutType)

/** A decision that stands in the root rule, as many write it, is moved with its conditions to where R4 has it: one rule below. */
function withoutType (given: ConsentProvision, scope: Scope): ConsentProvision {
  if (given.type === undefined) return given
  if (scope.purpose === 'load') scope.notes.push({ path: 'type', remark: 'is moved into a nested provision' })
  const { period, ...moved } = given
  return isEmpty(period) ? { provision: [moved] } : { period, provision: [moved] }
}
