/** JSON of a CodeableConcept with one coding: the few codes that this service itself writes, each with its code system's own display. */
export function toConcept (system: string, code: string, display: string): string {
  return JSON.stringify({ coding: [{ system, code, display }] })
}
