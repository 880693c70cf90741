/** The path of the FHIR base, below PUBLIC_URL. */
export const fhirBasePath = '/fhir/r4'

/** The FHIR base: every URL of a FHIR resource or operation of this service begins with it. */
export function toFhirBase (publicUrl: string): string {
  return `${publicUrl}${fhirBasePath}`
}
