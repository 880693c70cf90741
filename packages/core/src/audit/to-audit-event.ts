import type { AuditEvent, AuditEventAgent, AuditEventEntity, Coding } from 'fhir/r4.js'
import { fhirBasePath, toFhirBase } from '../fhir-base.ts'
import type { AuditRow } from '../db/tables/bulk-export-audit.ts'
import type { AuditEventName } from '../vocabulary.ts'

/**
 * IHE BALP (https://profiles.ihe.net/ITI/BALP): the patterns Query and PatientQuery for kick-offs, Delete for deletions, Privacy
 * Disclosure at Source for downloads. It has no pattern for a worker's events: they are DICOM's Export.
 */
interface Pattern {
  type: Coding
  subtype: Coding[]
  action: NonNullable<AuditEvent['action']>
  profile?: (row: AuditRow) => string
}

const dicom = (code: string, display: string): Coding => ({ system: 'http://dicom.nema.org/resources/ontology/DCM', code, display })
const lifecycle = (code: string, display: string): Coding =>
  ({ system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle', code, display })
const interaction = (code: string): Coding => ({ system: 'http://hl7.org/fhir/restful-interaction', code, display: code })
const ofEntity = (code: string, display: string): Coding =>
  ({ system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type', code, display })
const ofRole = (code: string, display: string): Coding => ({ system: 'http://terminology.hl7.org/CodeSystem/object-role', code, display })
const balp = (name: string) => `https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.${name}`

const rest: Coding = { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest', display: 'RESTful Operation' }
const exported = dicom('110106', 'Export')
const extracted = lifecycle('extract', 'Extract Record Lifecycle Event')
const destroyed = lifecycle('destroy', 'Destroy/Delete Record Lifecycle Event')
const deletion: Pattern = {
  type: rest, subtype: [interaction('delete')], action: 'D',
  profile: ({ patient_id: patient }) => balp(patient === null ? 'Delete' : 'PatientDelete')
}
const login = dicom('110114', 'User Authentication')

const patterns: Record<AuditEventName, Pattern> = {
  requested: {
    type: rest, subtype: [interaction('operation')], action: 'E',
    profile: ({ patient_id: patient }) => balp(patient === null ? 'Query' : 'PatientQuery')
  },
  started: { type: exported, subtype: [extracted], action: 'E' },
  completed: { type: exported, subtype: [extracted], action: 'C' },
  failed: { type: exported, subtype: [extracted], action: 'E' },
  cancelled: deletion,
  deleted: deletion,
  expired: { type: exported, subtype: [destroyed], action: 'D' },
  downloaded: {
    type: exported, subtype: [lifecycle('disclose', 'Disclose Record Lifecycle Event'), interaction('read')], action: 'R',
    profile: () => balp('PrivacyDisclosure.Source')
  },
  refused: { type: rest, subtype: [interaction('operation')], action: 'E' },
  'token-issued': { type: login, subtype: [dicom('110122', 'Login')], action: 'E' },
  'token-refused': { type: login, subtype: [dicom('110122', 'Login')], action: 'E' },
}

/** http://hl7.org/fhir/R4/auditevent.html */
export function toAuditEvent (row: AuditRow, publicUrl: string): AuditEvent {
  const { type, subtype, action, profile } = patterns[row.event]
  const outcome = { success: '0', failure: row.event === 'failed' ? '8' : '4' } as const // minor: it may do better another time; serious
  const entity = toEntities(row, publicUrl)
  return {
    resourceType: 'AuditEvent',
    id: row.id,
    ...(profile === undefined ? {} : { meta: { profile: [profile(row)] } }),
    type,
    subtype,
    action,
    recorded: row.recorded_at.toISOString(),
    outcome: outcome[row.outcome],
    ...toDescription(row),
    agent: toAgents(row, publicUrl),
    source: {
      site: publicUrl, observer: toServer(publicUrl),
      type: [{ system: 'http://terminology.hl7.org/CodeSystem/security-source-type', code: '4', display: 'Application Server' }]
    },
    ...(entity.length === 0 ? {} : { entity }),
  }
}

function toDescription ({ status, count, since, detail }: AuditRow): { outcomeDesc?: string } {
  const parts = [
    status === null ? [] : [`HTTP ${status}`], count === null ? [] : [`${count} times in the minute from ${since?.toISOString()}`],
    detail === null ? [] : [detail],
  ].flat()
  return parts.length === 0 ? {} : { outcomeDesc: parts.join(': ') }
}

function toServer (publicUrl: string) {
  return { identifier: { system: 'urn:ietf:rfc:3986', value: publicUrl } }
}

/** Types as in BALP's patterns: the client is the source of a request and the destination of a download. */
const [source, destination] = [dicom('110153', 'Source Role ID'), dicom('110152', 'Destination Role ID')]
const asked = { client: source, server: destination }
const recipient: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP', display: 'information recipient',
}
const handedOut = { client: destination, server: source }
const changed = {
  client: dicom('110150', 'Application'),
  server: { system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'custodian', display: 'Custodian' }
}

/** Client and server; the token's subject is a third agent. */
function toAgents (row: AuditRow, publicUrl: string): AuditEventAgent[] {
  const types = row.event === 'downloaded' ? handedOut : row.event === 'deleted' || row.event === 'cancelled' ? changed : asked
  const user = row.subject ?? row.patient_id
  const server: AuditEventAgent = {
    type: { coding: [types.server] },
    who: toServer(publicUrl),
    requestor: row.process === 'worker' && row.event !== 'downloaded',
    network: { address: publicUrl, type: '5' },
  }
  if (row.process === 'worker' && row.event !== 'downloaded') return [{ ...server, name: 'worker' }, ...toUser(row, user, false)]
  const client: AuditEventAgent = {
    type: { coding: [types.client] },
    who: { identifier: { ...toSystem(row), value: row.client_id ?? row.requester ?? 'unknown' } },
    requestor: user === null,
    network: row.address === null ? { address: 'unknown', type: '1' } : { address: row.address, type: '2' },
  }
  return [client, server, ...toUser(row, user, true)]
}

function toUser ({ issuer, role }: AuditRow, user: string | null, requestor: boolean): AuditEventAgent[] {
  if (user === null) return []
  return [{
    type: { coding: [recipient] },
    ...(role === null ? {} : { role: [{ text: role }] }),
    who: { identifier: { ...toSystem({ issuer }), value: user } },
    requestor,
  }]
}

function toSystem ({ issuer }: Pick<AuditRow, 'issuer'>): { system?: string } {
  return issuer === null || issuer === '' ? {} : { system: issuer }
}

function toEntities (row: AuditRow, publicUrl: string): AuditEventEntity[] {
  const entities: AuditEventEntity[] = []
  if (row.request_id !== null) {
    const type = { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' }
    entities.push({ what: { identifier: { value: row.request_id } }, type })
  }
  if (row.patient_id !== null) {
    entities.push(toPatient({ reference: `${toFhirBase(publicUrl)}/Patient/${row.patient_id}` }))
  } else if (row.event === 'downloaded') {
    entities.push(toPatient({ type: 'Patient', display: 'Every patient in the file' }))
  }
  if (row.event === 'requested') {
    entities.push({
      type: ofEntity('2', 'System Object'), role: ofRole('24', 'Query'), query: Buffer.from(toQuery(row)).toString('base64'),
    })
  }
  if (row.export_id !== null) {
    // A query has no `what`, and one entity of a system object.
    entities.push({
      what: {
        identifier: { system: `${toFhirBase(publicUrl)}/$export-status`, value: row.export_id },
        ...(row.file_name === null ? {} : { display: row.file_name })
      },
      type: row.event === 'requested' ? ofEntity('4', 'Other') : ofEntity('2', 'System Object'),
      ...(row.event === 'requested' ? {} : { role: row.event === 'downloaded' ? ofRole('3', 'Report') : ofRole('4', 'Domain Resource') }),
      ...(row.event === 'cancelled' || row.event === 'deleted' ? {} : toDetails(row)),
    })
  }
  return entities
}

function toPatient (what: NonNullable<AuditEventEntity['what']>): AuditEventEntity {
  return { what, type: ofEntity('1', 'Person'), role: ofRole('1', 'Patient') }
}

function toDetails ({ event, attempt, types, bytes }: AuditRow): Pick<AuditEventEntity, 'detail'> {
  const details = [['event', event], ['attempt', attempt], ['types', types?.join(',')], ['bytes', bytes]] as const
  return { detail: details.flatMap(([type, value]) => value == null || value === '' ? [] : [{ type, valueString: String(value) }]) }
}

/** The kick-off, without what may name patients or tell of them: filters, `patient`, and what is not understood. */
function toQuery ({ level, group_id: group, types }: AuditRow): string {
  const path = level === 'system' ? '/$export' : level === 'group' ? `/Group/${group}/$export` : '/Patient/$export'
  return `${fhirBasePath}${path}?_type=${types?.join(',') ?? ''}`
}
