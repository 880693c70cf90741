import type { Coding } from 'fhir/r4.js'
import type { ExportedType } from '../source/relations.ts'

/**
 * `_elements` (Bulk Data 3.0.0, Query Parameters): root elements that are neither listed nor mandatory are left out. An
 * element is written as FHIR defines it: `deceased`, not `deceasedBoolean`.
 */
const rootElements: Record<ExportedType, string> = {
  Patient: 'identifier active name telecom gender birthDate deceased address maritalStatus multipleBirth photo contact communication generalPractitioner managingOrganization link',
  DocumentReference: 'masterIdentifier identifier status docStatus type category subject date author authenticator custodian relatesTo description securityLabel content context',
  Consent: 'identifier status scope category patient dateTime performer organization source policy policyRule verification provision',
  Provenance: 'target occurred recorded policy location reason activity agent entity signature',
}
/** Of every resource, https://hl7.org/fhir/R4/domainresource.html */
const common = 'id meta implicitRules language text contained extension modifierExtension'

/** What a choice's element is called in JSON. */
const choices: Record<string, readonly string[]> = {
  deceased: ['deceasedBoolean', 'deceasedDateTime'],
  multipleBirth: ['multipleBirthBoolean', 'multipleBirthInteger'],
  source: ['sourceAttachment', 'sourceReference'],
  occurred: ['occurredPeriod', 'occurredDateTime'],
}

/** Without these a resource is not valid, or does not say what it is. Consent: by ppc-1 and ppc-2, too. */
const mandatory: Record<ExportedType, readonly string[]> = {
  Patient: ['resourceType', 'id', 'meta'],
  DocumentReference: ['resourceType', 'id', 'meta', 'status', 'content'],
  Consent: ['resourceType', 'id', 'meta', 'status', 'scope', 'category', 'patient', 'policy', 'policyRule'],
  Provenance: ['resourceType', 'id', 'meta', 'target', 'recorded', 'agent'],
}

const subsetted: Coding[] = [Object.freeze({ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED', display: 'subsetted' })]
Object.freeze(subsetted)

/** Whether FHIR R4 defines such a root element, exported or not. */
export function isRootElement (type: ExportedType, element: string): boolean {
  return `${common} ${rootElements[type]}`.split(' ').includes(element)
}

export type ElementPicker = (resource: object) => object

/**
 * What reduces the resources of a type to the listed elements (`element` or `Type.element`); they are tagged SUBSETTED, whether
 * or not anything was there to be left out. Undefined where the list says nothing of the type: its resources stay whole.
 */
export function createElementPicker (type: ExportedType, elements: readonly string[]): ElementPicker | undefined {
  const listed = elements.flatMap((element) => {
    const [first = '', own] = element.split('.')
    if (own === undefined) return [first]
    return first === type ? [own] : []
  })
  if (listed.length === 0) return undefined
  const kept = new Set([...mandatory[type], ...listed.flatMap((element) => choices[element] ?? [element])])

  return function pickElements (resource) {
    const picked: Record<string, unknown> = {}
    for (const [element, value] of Object.entries(resource)) {
      if (element === 'meta') picked.meta = { ...value, tag: subsetted }
      else if (kept.has(element)) picked[element] = value
    }
    return picked
  }
}
