import type { Address, CodeableConcept, Coding, ContactPoint, HumanName, Identifier, Period, Reference } from 'fhir/r4.js'
import { ElementError } from './element-error.ts'
import { boolean, code, codeOf, dateTime, positiveInt, string, uri } from './primitives.ts'
import { absent, list, nested, object, refine, type Reader, type Scope } from './reading.ts'
import { toHeldReference } from './reference.ts'
import { resourceTypes } from './resource-types.ts'
import { endOf, startOf } from './times.ts'

// https://hl7.org/fhir/R4/datatypes.html; rules are cited by their keys there.

export const coding = object<Coding>({
  system: uri,
  version: string,
  code,
  display: string,
  userSelected: boolean,
})

export const codeableConcept = object<CodeableConcept>({ coding: list(coding), text: string })

export const period = refine(object<Period>({ start: dateTime, end: dateTime }), checkPeriod)

export const humanName = object<HumanName>({
  use: codeOf('usual', 'official', 'temp', 'nickname', 'anonymous', 'old', 'maiden'),
  text: string,
  family: string,
  given: list(string),
  prefix: list(string),
  suffix: list(string),
  period,
})

export const contactPoint = refine(object<ContactPoint>({
  system: codeOf('phone', 'fax', 'email', 'pager', 'url', 'sms', 'other'),
  value: string,
  use: codeOf('home', 'work', 'temp', 'old', 'mobile'),
  rank: positiveInt,
  period,
}), checkContactPoint)

export const address = object<Address>({
  use: codeOf('home', 'work', 'temp', 'old', 'billing'),
  type: codeOf('postal', 'physical', 'both'),
  text: string,
  line: list(string),
  city: string,
  district: string,
  state: string,
  postalCode: string,
  country: string,
  period,
})

export const identifier: Reader<Identifier> = object<Identifier>({
  use: codeOf('usual', 'official', 'temp', 'secondary', 'old'),
  type: codeableConcept,
  system: uri,
  value: string,
  period,
  assigner: nested(() => reference('Organization')),
})

const resourceType: Reader<string> = function readResourceType (value) {
  return typeof value === 'string' && resourceTypes.has(value) ? value : absent(value, 'must be the name of a FHIR R4 resource type')
}

const referenceElements = object<Reference>({ reference: string, type: resourceType, identifier, display: string })

/** A Reference to one of the target types (none given: to anything), in the form that can be held (reference.ts). */
export function reference (...targets: string[]): Reader<Reference> {
  const allowed = new Set(targets)
  return refine(referenceElements, function conformReference (given, scope) {
    const held = toHeldReference(scope.purpose === 'load' ? withoutContained(given, scope) : given)
    if (scope.purpose === 'load') noteLoss(given, held, scope)
    if (held.reference === undefined && held.identifier === undefined && held.display === undefined) {
      return given.reference === undefined ? missing() : undefined
    }
    const type = held.type ?? held.reference?.slice(0, held.reference.indexOf('/'))
    if (allowed.size > 0 && type !== undefined && !allowed.has(type)) {
      throw new ElementError(`must refer to one of ${targets.join(', ')}`)
    }
    return held
  })
}

function missing (): never {
  throw new ElementError('must have a reference, an identifier or a display')
}

/** A row has no place for contained resources: what else the reference says of them is kept. */
function withoutContained (given: Reference, scope: Scope): Reference {
  if (!given.reference?.startsWith('#')) return given
  scope.notes.push({ path: 'reference', remark: 'is not held' })
  const { reference: _contained, ...rest } = given
  return rest
}

function noteLoss (given: Reference, held: Reference, scope: Scope): void {
  if (held.reference === given.reference || given.reference?.startsWith('#')) return
  if (held.reference !== undefined) scope.notes.push({ path: 'reference', remark: 'is held without its version' })
  else if (given.identifier !== undefined) scope.notes.push({ path: 'reference', remark: 'is not held' })
}

/** per-1; a partial date stands for all of its time. */
export function checkPeriod (given: Period): Period {
  if (given.start !== undefined && given.end !== undefined && startOf(given.start) > endOf(given.end)) {
    throw new ElementError('must not end before it starts')
  }
  return given
}

/** cpt-2 */
function checkContactPoint (given: ContactPoint): ContactPoint {
  if (given.value !== undefined && given.system === undefined) throw new ElementError('is required beside a value', 'system')
  return given
}
