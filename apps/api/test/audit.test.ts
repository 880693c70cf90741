import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { findAudit } from '@fhir-bulk-export/core/audit'
import type { AuditRow } from '@fhir-bulk-export/core/db'
import { eventually } from '@fhir-bulk-export/core/testing/database'
import t from 'tap'
import { requestOverSocket, startApi, type Api } from './fixtures/api.ts'
import { admin, complete, filePath, kickOff, patient, statusPath } from './fixtures/exports.ts'
import { bearer } from './fixtures/token.ts'

const requestId = /^[0-9a-f-]{36}$/
const address = '127.0.0.1'

async function recorded ({ db }: Pick<Api, 'db'>, ...events: Array<AuditRow['event']>): Promise<AuditRow[]> {
  const rows: AuditRow[] = []
  for await (const row of findAudit(db, {
    since: new Date(0), until: new Date('2999-01-01'),
  })) if (events.includes(row.event)) rows.push(row)
  return rows
}

t.test('who asked for an export and who deleted it: token, role, address and request', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api, {
    claims: { ...patient, sub: 'person-1', client_id: 'portal' }, query: '?_type=Patient&_typeFilter=Patient?name=secret',
  })
  await api.app.inject({ method: 'DELETE', url: statusPath(id), headers: bearer({ ...admin, azp: 'console' }) })
  await api.app.inject({ method: 'DELETE', url: statusPath(id), headers: bearer(admin) })
  const rows = await recorded(api, 'requested', 'cancelled')
  t.match(rows, [
    {
      event: 'requested',
      export_id: id,
      level: 'patient',
      types: ['Patient'],
      role: 'PATIENT',
      issuer: patient.iss,
      subject: 'person-1',
      client_id: 'portal',
      patient_id: 'pat-1',
      address,
      request_id: requestId,
    },
    {
      event: 'cancelled',
      export_id: id,
      role: 'ADMIN',
      issuer: admin.iss,
      subject: admin.sub,
      client_id: 'console',
      patient_id: null,
      address,
      request_id: requestId,
    },
  ])
  t.equal(rows.length, 2, 'what changed nothing is not written down')
  t.notMatch(JSON.stringify(rows), /secret/)
})

t.test('patients that an ADMIN names are not written down', async (t) => {
  const api = await startApi(t)
  const payload = { resourceType: 'Parameters', parameter: [{ name: 'patient', valueReference: { reference: 'Patient/secret-1' } }] }
  const response = await api.app.inject({
    method: 'POST', url: '/fhir/r4/Patient/$export', headers: { ...bearer(admin), prefer: 'handling=lenient' }, payload,
  })
  t.equal(response.statusCode, 202)
  t.notMatch(JSON.stringify(await recorded(api, 'requested')), /secret/)
})

t.test('a download, at its end: the file, the bytes of its plaintext, and whether it was whole', async (t) => {
  const api = await startApi(t)
  const id = await kickOff(api)
  const line = `{"resourceType":"Patient","id":"1","name":[{"family":"${'secret'.repeat(200)}"}]}\n`
  const body = line.repeat(20_000)
  await complete(api, id, [{ name: 'Patient.1.ndjson', type: 'Patient', body }, { name: 'Consent.1.ndjson', type: 'Consent', body: line }])
  const small = filePath(id, 'Consent.1.ndjson')
  const get = async (headers: Record<string, string>) => await api.app.inject({ url: small, headers: { ...bearer(admin), ...headers } })
  await get({ 'accept-encoding': 'gzip' })
  const { headers: { etag } } = await get({ range: 'bytes=0-99' })
  await get({ 'if-none-match': String(etag) })
  await api.app.inject({ method: 'HEAD', url: small, headers: bearer(admin) })
  await eventually(async () => (await recorded(api, 'downloaded')).length === 2)

  const response = await requestOverSocket(api.app, { path: filePath(id, 'Patient.1.ndjson'), headers: bearer(admin) })
  await once(response, 'readable')
  response.destroy()
  await eventually(async () => (await recorded(api, 'downloaded')).length === 3)
  const rows = await recorded(api, 'downloaded')
  t.match(rows, [
    {
      export_id: id,
      file_name: 'Consent.1.ndjson',
      bytes: line.length,
      outcome: 'success',
      role: 'ADMIN',
      subject: admin.sub,
      address,
      request_id: requestId,
    },
    { file_name: 'Consent.1.ndjson', bytes: 100, outcome: 'success' },
    { file_name: 'Patient.1.ndjson', outcome: 'failure', detail: 'broken off' },
  ])
  const bytes = rows[2]?.bytes ?? NaN
  t.ok(bytes > 0 && bytes < body.length, `${bytes} of ${body.length}`)
  t.notMatch(JSON.stringify(rows), /secret/)
  t.same(await api.db.selectFrom('bulk_export_downloads').selectAll().execute(), [])
})

t.test('refusals are a row for each caller, minute and status, not one each', async (t) => {
  const api = await startApi(t, { environment: { MAX_ACTIVE_EXPORTS: '1' } })
  const ask = async (
    headers: Record<string, string>, url = '/fhir/r4/Patient/$export'
  ) => (await api.app.inject({ url, headers })).statusCode
  const id = await kickOff(api)
  for (let i = 0; i < 5; i++) t.equal(await ask({ authorization: 'Bearer secret-token' }), 401)
  for (let i = 0; i < 3; i++) t.equal(await ask(bearer(patient), '/fhir/r4/$export'), 403)
  for (let i = 0; i < 4; i++) t.equal(await ask(bearer(admin)), 429)
  t.equal(await ask(bearer({ sub: 'nobody', role: 'CLERK' }), statusPath(id)), 403)
  t.equal(await ask(bearer(admin), statusPath(randomUUID())), 404, 'which is no refusal')
  t.same(await recorded(api, 'refused'), [])
  await api.app.close()
  const rows = (await recorded(api, 'refused')).sort((a, b) => (a.status ?? 0) - (b.status ?? 0) || (b.count ?? 0) - (a.count ?? 0))
  t.match(rows, [
    { status: 401, count: 5, role: null, address, outcome: 'failure', since: Date },
    { status: 403, count: 3, role: 'PATIENT', patient_id: 'pat-1', issuer: patient.iss },
    { status: 403, count: 1, role: null, address },
    { status: 429, count: 4, role: 'ADMIN', subject: admin.sub },
  ])
  t.equal(rows.length, 4)
  t.notMatch(JSON.stringify(rows), /secret/)
})

t.test('without the audit nothing changes: a kick-off that cannot be written down is none', async (t) => {
  const { app, db } = await startApi(t)
  await db.schema.alterTable('bulk_export_audit').renameTo('gone').execute()
  t.equal((await app.inject({ url: '/fhir/r4/Patient/$export', headers: bearer(admin) })).statusCode, 500)
  t.same(await db.selectFrom('bulk_export_jobs').select('id').execute(), [])
})
