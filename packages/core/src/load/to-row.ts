import { createHash } from 'node:crypto'
import { compartmentPaths } from '../r4/index.ts'
import { isInCompartment } from '../resources/index.ts'
import { findString, findValues } from './json-spans.ts'

/** A resource as its relation holds it. */
export interface Row {
  readonly id: string
  /** null: it belongs to no patient */
  readonly patientId: string | null
  /** of a Group: those of its members who are patients */
  readonly members: readonly Member[]
  readonly json: Buffer
}

interface Member {
  readonly id: string
  readonly patient_id: string
  readonly period_start: string | undefined
  readonly period_end: string | undefined
  readonly inactive: boolean | undefined
}

/** What a resource's neighbours in a Bundle say of it. */
export interface Surroundings {
  readonly fullUrl: string | undefined
  /** fullUrl → id of the Patients of the Bundle */
  readonly patients: ReadonlyMap<string, string>
}

const uuid = /^urn:uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i
const patientReference = /^Patient\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/

/** `json` is a valid resource of the type, and is kept. */
export function toRow (type: string, json: Buffer, { fullUrl, patients }: Surroundings): Row {
  const toPatient = (reference: string | undefined) => patientReference.exec(reference ?? '')?.[1] ?? patients.get(reference ?? '')
  const id = idOf(json, fullUrl)
  return {
    id,
    patientId: isInCompartment(type) ? findPatient(type, json, toPatient) ?? null : null,
    members: type === 'Group' ? toMembers(id, json, toPatient) : [],
    json,
  }
}

/** The resource's own id, else the UUID by which its Bundle names it, else one that the same content always has. */
export function idOf (json: Buffer, fullUrl: string | undefined): string {
  return findString(json, 0, ['id']) ?? uuid.exec(fullUrl ?? '')?.[1]?.toLowerCase() ?? createHash('sha256').update(json).digest('hex')
}

/** https://hl7.org/fhir/R4/compartmentdefinition-patient.html: the first of the references, in the order of the definition. */
function findPatient (type: string, json: Buffer, toPatient: (reference: string | undefined) => string | undefined): string | undefined {
  for (const path of compartmentPaths(type) ?? []) {
    for (const { start } of findValues(json, 0, path.split('.'))) {
      const patient = toPatient(findString(json, start, ['reference']))
      if (patient !== undefined) return patient
    }
  }
  return undefined
}

function toMembers (groupId: string, json: Buffer, toPatient: (reference: string | undefined) => string | undefined): Member[] {
  const times = new Map<string, number>()
  return [...findValues(json, 0, ['member'])].flatMap(function toMember ({ start }) {
    const patient = toPatient(findString(json, start, ['entity', 'reference']))
    if (patient === undefined) return []
    const time = (times.get(patient) ?? 0) + 1
    times.set(patient, time)
    const [inactive] = findValues(json, start, ['inactive'])
    return [{
      // The same for the same membership each time the group is loaded; a patient may be a member more than once.
      id: createHash('sha256').update(`${groupId}/${patient}/${time}`).digest('hex'),
      patient_id: patient,
      period_start: findString(json, start, ['period', 'start']),
      period_end: findString(json, start, ['period', 'end']),
      inactive: inactive === undefined ? undefined : json[inactive.start] === 0x74, // t
    }]
  })
}
