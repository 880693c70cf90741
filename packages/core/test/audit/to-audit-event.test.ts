import { randomUUID } from 'node:crypto'
import type { AuditEvent } from 'fhir/r4.js'
import t from 'tap'
import { auditEvents, toAuditEvent } from '../../src/audit/index.ts'
import type { AuditRow } from '../../src/db/index.ts'
import { checkResource } from '../../src/r4/index.ts'
import { findProblems } from '../fixtures/validators.ts'

const publicUrl = 'https://fhir.example.org/bulk'

const row: AuditRow = {
  id: randomUUID(),
  recorded_at: new Date('2026-02-22T15:30:00.123Z'),
  event: 'requested',
  outcome: 'success',
  process: 'api',
  export_id: randomUUID(),
  attempt: 0,
  level: 'group',
  group_id: 'g-1',
  types: ['Patient', 'Consent'],
  requester: 'a'.repeat(64),
  role: 'ADMIN',
  issuer: 'https://issuer.example.org',
  subject: 'me',
  client_id: 'client',
  patient_id: null,
  address: '192.0.2.1',
  request_id: randomUUID(),
  file_name: null,
  bytes: null,
  status: null,
  count: null,
  since: null,
  detail: null,
}
const download: Partial<AuditRow> = { event: 'downloaded', file_name: 'Patient.1.ndjson', bytes: 1_000 }
const nobody: Partial<AuditRow> = {
  requester: null, role: null, issuer: '', subject: null, client_id: null, address: null,
  request_id: null, level: null, group_id: null, types: null, export_id: null, attempt: null
}
const patient: Partial<AuditRow> = {
  role: 'PATIENT', patient_id: 'pat-1', subject: null, client_id: null, level: 'patient',
  group_id: null
}
const of = (changes: Partial<AuditRow>) => toAuditEvent({ ...row, ...changes }, publicUrl)
const codesOf = (agents: AuditEvent['agent']) => agents.map(({ type }) => type?.coding?.[0]?.code)

t.test('every event is valid R4, as our own table and others judge', async (t) => {
  for (const event of auditEvents) {
    for (const changes of [{}, patient, nobody, { process: 'worker' } as const, { outcome: 'failure', detail: 'why' } as const,
      { status: 403, count: 12, since: row.recorded_at }, { types: [] }, { ...download, event }]) {
      const resource = of({ event, ...changes })
      t.strictSame(findProblems(resource), [], `${event} ${JSON.stringify(changes)}`)
      t.match(checkResource(Buffer.from(JSON.stringify(resource))), { isValid: true, type: 'AuditEvent' })
    }
  }
})

// IHE BALP, IHE.BasicAudit.Query and PatientQuery
t.test('a kick-off is a query: the client is the source, the server the destination, the query in base64', async (t) => {
  const event = of({})
  t.match(event, {
    meta: { profile: ['https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.Query'] },
    type: { code: 'rest' },
    action: 'E',
    outcome: '0',
    recorded: '2026-02-22T15:30:00.123Z',
    source: { observer: { identifier: { value: publicUrl } } },
  })
  t.strictSame(codesOf(event.agent), ['110153', '110152', 'IRCP'])
  t.match(event.agent, [
    { who: { identifier: { system: row.issuer, value: 'client' } }, network: { address: '192.0.2.1', type: '2' }, requestor: false },
    { who: { identifier: { value: publicUrl } }, network: { address: publicUrl, type: '5' } },
    { who: { identifier: { value: 'me' } }, requestor: true, role: [{ text: 'ADMIN' }] },
  ])
  const queries = (event.entity ?? []).filter(({ type }) => type?.code === '2')
  t.equal(queries.length, 1)
  t.match(queries, [{ role: { code: '24' }, query: Buffer.from('/fhir/r4/Group/g-1/$export?_type=Patient,Consent').toString('base64') }])
  t.notOk('what' in queries[0]! || 'detail' in queries[0]!)
  t.match(event.entity?.find(({ type }) => type?.code === 'XrequestId'), { what: { identifier: { value: row.request_id } } })

  const own = of(patient)
  t.match(own.meta, { profile: ['https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery'] })
  t.match(own.entity?.filter(({ type }) => type?.code === '1'),
    [{ role: { code: '1' }, what: { reference: `${publicUrl}/fhir/r4/Patient/pat-1` } }])
})

// IHE BALP, IHE.BasicAudit.PrivacyDisclosure.Source
t.test('a download is a disclosure: the server is the source and the observer, the client the destination', async (t) => {
  for (const changes of [download, { ...download, ...patient }]) {
    const event = of(changes)
    t.match(event, {
      meta: { profile: ['https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source'] },
      type: { system: 'http://dicom.nema.org/resources/ontology/DCM', code: '110106' },
      subtype: [{ system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle', code: 'disclose' }],
      action: 'R',
    })
    const [source, recipient] = ['110153', '110152'].map((code) => event.agent.filter(({ type }) => type?.coding?.[0]?.code === code))
    t.strictSame(source?.map(({ who }) => who), [event.source.observer])
    t.match(recipient, [{ who: {}, network: { address: '192.0.2.1' } }])
    t.equal(event.entity?.filter(({ type }) => type?.code === '1').length, 1)
    t.match(event.entity?.at(-1), {
      type: { code: '2' }, what: { identifier: { value: row.export_id }, display: 'Patient.1.ndjson' },
      detail: [{}, {}, {}, { type: 'bytes', valueString: '1000' }]
    })
  }
  t.match(of({ ...download, outcome: 'failure', detail: 'broken off' }), { outcome: '4', outcomeDesc: 'broken off' })
})

// IHE BALP, IHE.BasicAudit.Delete
t.test('a deletion, and what a worker does', async (t) => {
  for (const event of ['cancelled', 'deleted'] as const) {
    const { agent } = of({ event })
    t.strictSame(codesOf(agent), ['110150', 'custodian', 'IRCP'])
    t.match(of({ event }), {
      meta: { profile: [/BasicAudit\.Delete$/] }, action: 'D', subtype: [{ code: 'delete' }],
      entity: [{}, { type: { code: '2' }, what: { identifier: { value: row.export_id } } }]
    })
  }
  const failed = of({
    event: 'failed', outcome: 'failure', process: 'worker', detail: 'the source lacks a column', address: null,
    subject: null
  })
  t.match(failed, {
    type: { code: '110106' }, outcome: '8', outcomeDesc: 'the source lacks a column',
    agent: [{ name: 'worker', requestor: true, who: { identifier: { value: publicUrl } } }]
  })
  t.notOk(failed.meta)
})

t.test('refusals tell their status, and how many there were', async (t) => {
  t.match(of({ event: 'refused', outcome: 'failure', status: 401, count: 12, since: row.recorded_at, export_id: null }),
    { outcome: '4', outcomeDesc: 'HTTP 401: 12 times in the minute from 2026-02-22T15:30:00.123Z' })
})
