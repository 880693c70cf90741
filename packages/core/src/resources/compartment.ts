import { compartmentPaths } from '../r4/index.ts'

/**
 * Whether rows of the type belong to patients: by R4's CompartmentDefinition, https://hl7.org/fhir/R4/compartmentdefinition-patient.html.
 * A Group is there, too, by its members; it holds many patients' data, so it belongs to none.
 */
export function isInCompartment (type: string): boolean {
  return type !== 'Group' && compartmentPaths(type) !== undefined
}
