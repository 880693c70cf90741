import type { Texts } from './definition.ts'
import { isId } from './id.ts'
import { ValueProblem } from './value-problem.ts'

/** The patient of a row that has no `resource`, which would say it itself. */
export function toPatientReference ({ patient_id: id, resource }: Texts): string | undefined {
  if (id === undefined || resource !== undefined) return undefined
  if (!isId(id)) throw new ValueProblem('cannot be made of patient_id, which must be 1 to 64 letters, digits, "-" and "."')
  return JSON.stringify({ reference: `Patient/${id}` })
}
