import type { Texts } from './definition.ts'
import { isId } from './id.ts'
import { ValueProblem } from './value-problem.ts'

/** JSON of the reference to a row's patient. */
export function toPatientReference ({ patient_id: id }: Texts): string | undefined {
  if (id === undefined) return undefined
  if (!isId(id)) throw new ValueProblem('cannot be made of patient_id, which must be 1 to 64 letters, digits, "-" and "."')
  return JSON.stringify({ reference: `Patient/${id}` })
}
