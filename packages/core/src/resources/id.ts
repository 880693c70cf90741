const idPattern = /^[A-Za-z0-9.-]{1,64}$/

/** https://hl7.org/fhir/R4/datatypes.html#id */
export function isId (value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value)
}
