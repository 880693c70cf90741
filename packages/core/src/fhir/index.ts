import { toConsent } from './consent.ts'
import { toDocumentReference } from './document-reference.ts'
import { toPatient } from './patient.ts'
import { toProvenance } from './provenance.ts'
import type { SerializerContext } from './row.ts'
import type { ExportedType, exportedRelations, SourceRow } from '../source/relations.ts'
import type { Consent, DocumentReference, Patient, Provenance } from 'fhir/r4.js'

export { createElementPicker, isRootElement, type ElementPicker } from './elements.ts'
export { ElementError } from './element-error.ts'
export { toGroup, type GroupMembers } from './group.ts'
export { toIgnoredOutcome, toOperationOutcome } from './operation-outcome.ts'
export { isId, toRowIssue, type RowIssue, type SerializerContext } from './row.ts'
export { toConsent, toDocumentReference, toPatient, toProvenance }

interface Resources { Patient: Patient, DocumentReference: DocumentReference, Consent: Consent, Provenance: Provenance }

export type Serializer<T extends ExportedType> = (row: SourceRow<(typeof exportedRelations)[T]>, context: SerializerContext) => Resources[T]

/** How a row of each type becomes its resource. Each throws ElementError for a row that cannot; see toRowIssue. */
export const serializers: { readonly [T in ExportedType]: Serializer<T> } = {
  Patient: toPatient,
  DocumentReference: toDocumentReference,
  Consent: toConsent,
  Provenance: toProvenance,
}
