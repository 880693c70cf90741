import type { FileList } from '@fhir-bulk-export/core/exports'
import type { Bundle, DocumentReference, OperationOutcome, Patient, Resource } from 'fhir/r4.js'
import { groupMembers, letters, patients, poisoned } from './data.ts'
import type { Wish } from './client.ts'

/** What one export's files hold, once a line of each has been added. */
export interface Contents {
  add: (list: FileList, type: string, bytes: Buffer) => void
  /** `Type/id` → when it was last changed. */
  output: Map<string, string>
  /** `Type/id` */
  deleted: Set<string>
  doubleLines: number
  /** Patients whose document is of another instant. */
  torn: () => number
  /** How it differs from what the wish must have brought. */
  differences: (wish: Wish) => string[]
}

export function createContents (): Contents {
  const output = new Map<string, string>()
  const deleted = new Set<string>()
  const errors = new Set<string>()
  const versions = { Patient: new Map<string, number>(), DocumentReference: new Map<string, number>() }
  let doubleLines = 0
  let misplaced = 0

  function addResource (resource: Resource): void {
    const { resourceType, id = '' } = resource
    const name = `${resourceType}/${id}`
    if (output.has(name)) doubleLines++
    output.set(name, resource.meta?.lastUpdated ?? '')
    if (resourceType === 'Patient') versions.Patient.set(id.slice(1), (resource as Patient).multipleBirthInteger ?? 0)
    if (resourceType === 'DocumentReference') {
      versions.DocumentReference.set(id.slice(1), Number((resource as DocumentReference).description?.slice(1)))
    }
  }

  function add (list: FileList, type: string, bytes: Buffer): void {
    for (const line of bytes.toString().trimEnd().split('\n')) {
      const resource = JSON.parse(line) as Resource
      if (resource.resourceType !== type) misplaced++
      if (list === 'output') addResource(resource)
      if (list === 'error') errors.add((resource as OperationOutcome).issue[0]?.diagnostics?.split(':')[0] ?? '')
      if (list === 'deleted') for (const { request } of (resource as Bundle).entry ?? []) deleted.add(request?.url ?? '')
    }
  }

  function torn (): number {
    let count = 0
    for (let i = 1; i <= patients; i++) {
      const [patient, document] = [versions.Patient.get(String(i)), versions.DocumentReference.get(String(i))]
      if (patient !== undefined && document !== undefined && patient !== document) count++
    }
    return count
  }

  function differences (wish: Wish): string[] {
    const found = [...deleted].filter((name) => output.has(name)).map((name) => `${name} is in output and in deleted`)
    if (misplaced > 0) found.push(`${misplaced} lines are of another type than their file`)
    const foreign = [...output.keys()].filter((name) => !mayHold(wish, name))
    if (foreign.length > 0) found.push(`${foreign.length} resources were not asked for: ${foreign.slice(0, 3).join(' ')}`)
    if (wish.since !== undefined) return found
    const wanted = toWanted(wish)
    for (const type of wish.types) {
      const missing = wanted.map((i) => `${type}/${letters[type]}${i}`).filter((name) => !output.has(name))
      if (missing.length > 0) found.push(`${missing.length} of ${wanted.length} ${type} are missing: ${missing.slice(0, 3).join(' ')}`)
    }
    const told = toPoisoned(wish)
    if (errors.size !== told.length || !told.every((name) => errors.has(name))) {
      found.push(`${errors.size} of ${told.length} bad rows are in the error list`)
    }
    return found
  }

  return { add, output, deleted, get doubleLines () { return doubleLines }, torn, differences }
}

/** Numbers of the patients that are always there. */
function toWanted (wish: Wish): number[] {
  const numbers = toOwn(wish)?.filter((id) => id.startsWith('p')).map((id) => Number(id.slice(1)))
  return numbers ?? Array.from({ length: wish.level === 'group' ? groupMembers : patients }, (_, i) => i + 1)
}

function toOwn ({ claims, patients: asked }: Wish): string[] | undefined {
  return claims.patient_id === undefined ? asked : [claims.patient_id]
}

/** The bad rows of the other types belong to p1. */
function toPoisoned (wish: Wish): string[] {
  const hasFirst = toWanted(wish).includes(1)
  const hasBadPatients = toOwn(wish) === undefined && wish.level !== 'group'
  const types = wish.types.filter((type) => type === 'Patient' ? hasBadPatients : hasFirst)
  return types.flatMap((type) => Array.from({ length: poisoned }, (_, i) => `${type}/bad-${letters[type]}${i + 1}`))
}

/** A row's number is its patient's. */
function mayHold (wish: Wish, name: string): boolean {
  const [type, id = ''] = name.split('/')
  if (!wish.types.includes(type ?? '')) return false
  const [, prefix, number] = /^(m?)[pdceo](\d+)$/.exec(id) ?? []
  const own = toOwn(wish)
  if (own !== undefined) return own.includes(`${prefix}p${number}`) || own.includes(id)
  return wish.level !== 'group' || (prefix === '' && Number(number) <= groupMembers)
}
