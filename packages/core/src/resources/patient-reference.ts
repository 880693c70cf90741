import type { Default, Texts } from './definition.ts'
import { isId } from './id.ts'
import { ValueProblem } from './value-problem.ts'

/** The reference to a row's patient. */
export const patientReference: Default = {
  toJson: toPatientReference,
  sql: "jsonb_build_object('reference', 'Patient/' || r.patient_id)",
  around: { before: '{"reference":"Patient/', column: 'patient_id', after: '"}' },
}

function toPatientReference ({ patient_id: id }: Texts): string | undefined {
  if (id === undefined) return undefined
  if (!isId(id)) throw new ValueProblem('cannot be made of patient_id, which must be 1 to 64 letters, digits, "-" and "."')
  return `{"reference":"Patient/${id}"}`
}
