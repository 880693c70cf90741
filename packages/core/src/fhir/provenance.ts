import type { CodeableConcept, Provenance, ProvenanceAgent, ProvenanceEntity, Reference } from 'fhir/r4.js'
import { dataOperations } from './codings.ts'
import { columnsOf } from './columns.ts'
import { codeableConcept, reference } from './datatypes.ts'
import { ElementError } from './element-error.ts'
import { codeOf, dateTime, instant, uri } from './primitives.ts'
import { list, nested, object, refine, type Reader, type Scope } from './reading.ts'
import { finish, isId, readId, readMeta, readPeriod, toScope, type SerializerContext } from './row.ts'
import type { SourceRow } from '../source/relations.ts'

const agents = ['Practitioner', 'PractitionerRole', 'RelatedPerson', 'Patient', 'Device', 'Organization']
const unknown: Reference = Object.freeze({ display: 'Unknown' })

const agent: Reader<ProvenanceAgent> = refine(object<ProvenanceAgent>({
  type: codeableConcept,
  role: list(codeableConcept),
  who: reference(...agents),
  onBehalfOf: reference(...agents),
}), withWho)

const entity = object<ProvenanceEntity>({
  role: codeOf('derivation', 'revision', 'quotation', 'source', 'removal'),
  what: reference(),
  agent: list(nested(() => agent)),
}, ['role', 'what'])

/** What a row holds of a Provenance, https://hl7.org/fhir/R4/provenance.html */
export const provenanceColumns = columnsOf<Provenance, 'provenance_events'>('provenance_events', {
  target: ['target', list(reference())],
  occurredDateTime: ['occurred_date_time', dateTime],
  recorded: ['recorded', instant],
  policy: ['policy', list(uri)],
  location: ['location', reference('Location')],
  reason: ['reason', list(codeableConcept)],
  activity: ['activity', codeableConcept],
  agent: ['agent', list(agent)],
  entity: ['entity', list(entity)],
})

/** A row of source.provenance_events as a Provenance. Throws ElementError. */
export function toProvenance (row: SourceRow<'provenance_events'>, context: SerializerContext): Provenance {
  const scope = toScope(context)
  const provenance: Partial<Provenance> = {
    resourceType: 'Provenance',
    id: readId(row.id, 'id'),
    meta: readMeta(row.updated_at, scope),
  }
  if (!isId(row.patient_id)) throw new ElementError('belongs to no patient: patient_id is missing or not an id', 'target')
  provenanceColumns.toElements(row, provenance, scope)
  if (provenance.occurredDateTime === undefined) {
    const period = readPeriod(row.occurred_period_start, row.occurred_period_end, 'occurredPeriod', scope)
    if (period !== undefined) provenance.occurredPeriod = period
  }
  const done = readAction(row.action)
  if (provenance.activity === undefined && done !== undefined) provenance.activity = done
  provenance.agent ??= [{ who: unknown }]
  return finish<Provenance>(provenance, ['target', 'recorded'], scope, context)
}

/** Who looked at a record, or was shown it, is for an AuditEvent: a Provenance tells how its target came to be as it is. */
function readAction (action: string | null): CodeableConcept | undefined {
  if (action === null || action === '') return undefined
  const activity = dataOperations.get(action)
  if (activity === undefined) throw new ElementError(`must be one of ${[...dataOperations.keys()].join(', ')}`, 'activity')
  return activity
}

/** R4 asks for an agent and its `who`: where a row knows of neither, it says so. A loaded resource must have both. */
function withWho (given: Partial<ProvenanceAgent>, scope: Scope): ProvenanceAgent {
  if (given.who !== undefined) return given as ProvenanceAgent
  if (scope.purpose === 'load') throw new ElementError('is required', 'who')
  return { ...given, who: unknown }
}
