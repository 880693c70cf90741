import type { Reference } from 'fhir/r4.js'
import { ElementError } from '../fhir/element-error.ts'
import { absent, partialObject, refine, type Reader } from '../fhir/reading.ts'
import { string } from '../fhir/primitives.ts'
import { referencedId, toHeldReference } from '../fhir/reference.ts'
import { isId } from '../fhir/row.ts'
import type { Relation, SourceRow } from '../source/relations.ts'

/** What the loader writes of a row; the database stamps `updated_at`, and whatever is loaded is not deleted. */
export type LoadedRow<R extends Relation> = Omit<SourceRow<R>, 'updated_at' | 'deleted_at'>

const id: Reader<string> = value => isId(value) ? value : absent(value, 'must be 1 to 64 letters, digits, "-" and "."')

/** Rules that a reader of the resource must know may change all of its meaning. */
const implicitRules: Reader<string> = value => absent(value, 'is not supported: it may change the meaning of the resource')

/** What every resource has; of `meta` a row holds nothing, since `lastUpdated` is its own. */
export const resourceElements = { id, meta: partialObject({}), implicitRules }

/** The reference that makes a row its patient's: only the id is held. */
export const patientReference: Reader<Reference> = refine(partialObject<Reference>({ reference: string }), function checkPatient (given, scope) {
  const held = toHeldReference(given)
  if (held !== given) scope.notes.push({ path: 'reference', remark: 'is held without its version' })
  if (referencedId(held, 'Patient') === undefined) throw new ElementError('must be Patient/id: a row belongs to a patient', 'reference')
  return held
})

export function patientIdOf (reference: Reference | undefined): string | null {
  return reference === undefined ? null : referencedId(reference, 'Patient') ?? null
}

/** Of the types of a choice, https://hl7.org/fhir/R4/formats.html#choice, a resource may have one. */
export function checkChoice<T extends object> (resource: T, one: keyof T & string, other: keyof T & string): void {
  if (resource[one] !== undefined && resource[other] !== undefined) throw new ElementError(`must not stand beside ${one}`, other)
}
