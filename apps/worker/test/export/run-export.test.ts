import { createHash } from 'node:crypto'
import { findPublishedFiles } from '@fhir-bulk-export/core/exports'
import { ended, eventually, givenLargePatients, keptKeys, readText } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { exportFiles, openService, openWith, readExport, startWith } from '../fixtures/service.ts'

t.test('an export holds every row of every type, exactly once', async (t) => {
  const service = await startWith(t, 3_000)
  const { id, ...row } = await service.run()
  t.match(row, { status: 'completed', attempt: 1, failures: 0, progress: 100, total_resources: 12_000, exported_resources: 12_000 })

  const files = await findPublishedFiles(service.db, id) ?? []
  t.match(files.map(({ list, type, name, count }) => ({ list, type, name, count })), [
    { list: 'output', type: 'Patient', name: 'Patient.1.ndjson', count: 3_000 },
    { list: 'output', type: 'Consent', name: 'Consent.1.ndjson', count: 3_000 },
    { list: 'output', type: 'DocumentReference', name: 'DocumentReference.1.ndjson', count: 3_000 },
    { list: 'output', type: 'Provenance', name: 'Provenance.1.ndjson', count: 3_000 },
  ])
  for (const file of files) {
    const text = await readText(service.store, file)
    t.match(file, { size: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex'), cid: /^Qm/ })
    t.ok(text.endsWith('\n'))
    const ids = new Set(text.trimEnd().split('\n').map((line) => JSON.parse(line).id))
    t.equal(ids.size, 3_000)
  }
  t.equal((await keptKeys(service.store)).length, 4, 'what is kept is what is published')
})

t.test('only the types asked for; a type without rows has no file', async (t) => {
  const service = await openWith(t, 2)
  await sql`DELETE FROM source.consents`.execute(service.db)
  await service.startWorker()
  t.same(Object.keys(await exportFiles(service, { types: ['Consent', 'Provenance'] })), ['Provenance.1.ndjson'])
  const none = await service.kickOff({ types: ['Consent'] })
  t.match(await ended(service, none), { status: 'completed', total_resources: 0, progress: 100 })
  t.same(await readExport(service, none), {})
})

t.test('a patient gets the own compartment and nothing else', async (t) => {
  const service = await startWith(t, 12)
  const id = await service.kickOff({ requester_role: 'PATIENT', patient_id: 'p1' })
  await ended(service, id)
  const files = await readExport(service, id)
  t.same(Object.values(files).flat().map((resource) => resource.id).sort(), ['c1', 'd1', 'e1', 'p1'])
  t.same(await exportFiles(service, { requester_role: 'PATIENT', patient_id: "p1' OR true --" }), {})
})

t.test('deleted rows are not exported, nor are live rows of a deleted patient', async (t) => {
  const service = await openWith(t, 3)
  await sql`UPDATE source.medical_records SET deleted_at = now() WHERE id = 'd1'`.execute(service.db)
  await sql`UPDATE source.patients SET deleted_at = now() WHERE id = 'p2'`.execute(service.db)
  await service.startWorker()
  const id = await service.kickOff()
  t.match(await ended(service, id), { total_resources: 7 })
  t.same(Object.values(await readExport(service, id)).flat().map((resource) => resource.id).sort(),
    ['c1', 'c3', 'd3', 'e1', 'e3', 'p1', 'p3'])
})

t.test('_since: what changed after it, and nothing before', async (t) => {
  const service = await startWith(t, 5)
  const first = await service.run()
  await eventually(async () => {
    const { rows: [row] } =
      await sql<{ passed: boolean }>`SELECT now() - interval '1.1 s' > max(updated_at) AS passed FROM source.provenance_events`.execute(
        service.db
      )
    return row?.passed
  })
  const id = await service.kickOff({ types: ['Patient', 'Consent'], _since: new Date() })
  await ended(service, id)
  t.same(await readExport(service, id), {})
  await sql`UPDATE source.patients SET gender = 'female' WHERE id = 'p4'`.execute(service.db)
  t.match(await exportFiles(service, { types: ['Patient', 'Consent'], _since: first.ended_at }),
    { 'Patient.1.ndjson': [{ id: 'p4', gender: 'female' }] })
})

t.test('_since and _until count to the microsecond: a row whose lastUpdated one of them repeats is in one export', async (t) => {
  const service = await openWith(t, 3)
  await sql`ALTER TABLE source.patients DISABLE TRIGGER USER`.execute(service.db)
  await sql`UPDATE source.patients SET updated_at = '2024-01-31T09:30:00.12345Z'::timestamptz + substr(id,
    2)::int * interval '1 us'`.execute(service.db)
  await service.startWorker()
  const idsOf = async (period: { _since?: string, _until?: string }) => {
    const id = await service.kickOff({ types: ['Patient'], ...period })
    await ended(service, id)
    return (await readExport(service, id))['Patient.1.ndjson']?.map((patient) => patient.id)
  }
  t.same(await idsOf({ _since: '2024-01-31T09:30:00.123452Z' }), ['p3'])
  t.same(await idsOf({ _until: '2024-01-31T09:30:00.123452Z' }), ['p1', 'p2'])
})

t.test('a row that cannot make a valid resource is a line of the error file, which tells nothing of its content', async (t) => {
  const service = await openWith(t, 4)
  await sql`UPDATE source.patients SET gender = 'secret' WHERE id = 'p2'`.execute(service.db)
  await service.startWorker()
  const id = await service.kickOff({ types: ['Patient'] })
  t.match(await ended(service, id), { status: 'completed' })
  const files = await readExport(service, id)
  t.same(files['Patient.1.ndjson']?.map((patient) => patient.id), ['p1', 'p3', 'p4'])
  t.match(files['error.1.ndjson'], [{
    resourceType: 'OperationOutcome',
    issue: [{
      severity: 'error', details: {
        coding: [{
          system: 'http://localhost:3000/fhir/r4/CodeSystem/error-code',
          code: 'resource-left-out'
        }]
      }, diagnostics: /Patient\/p2.*gender/,
    }]
  }])
  t.notMatch(JSON.stringify(files['error.1.ndjson']), /secret/)
  t.match(await findPublishedFiles(service.db, id), [{ count: 3 }, { list: 'error', type: 'OperationOutcome', count: 1 }])
})

t.test('too many such rows fail the export at once, with a reason, and leave nothing behind', async (t) => {
  const service = await openWith(t, 10)
  await sql`UPDATE source.patients SET gender = 'secret'`.execute(service.db)
  await service.startWorker({ EXPORT_MAX_ROW_ERRORS: '5' })
  t.match(await service.run(), { status: 'failed', attempt: 1, failure_reason: /More than 5 rows cannot be exported.*gender/ })
  await eventually(async () => (await keptKeys(service.store)).length === 0)
})

t.test('an attachment above the limit is withheld and its row reported', async (t) => {
  const service = await openWith(t, 3)
  const large = JSON.stringify([{ attachment: { contentType: 'text/plain', data: Buffer.alloc(300_000, 'x').toString('base64') } }])
  await sql`UPDATE source.medical_records SET content = ${large} WHERE id = 'd2'`.execute(service.db)
  await service.startWorker({ EXPORT_MAX_ATTACHMENT_BYTES: '256KiB' })
  const id = await service.kickOff({ types: ['DocumentReference'] })
  await ended(service, id)
  const files = await readExport(service, id)
  t.same(files['DocumentReference.1.ndjson']?.map((document) => document.id), ['d1', 'd3'])
  t.match(files['error.1.ndjson'], [{ issue: [{ diagnostics: /DocumentReference\/d2.*EXPORT_MAX_ATTACHMENT_BYTES/ }] }])
})

t.test('files are split at EXPORT_FILE_BYTES, in order', async (t) => {
  const service = await openService(t)
  await givenLargePatients(service.db, 2_000)
  await service.startWorker({ EXPORT_FILE_BYTES: '1MiB' })
  const id = await service.kickOff({ types: ['Patient'] })
  await ended(service, id)
  const files = await findPublishedFiles(service.db, id) ?? []
  t.ok(files.length > 1)
  t.same(files.map(({ name }) => name), files.map((_, i) => `Patient.${i + 1}.ndjson`))
  t.ok(files.every(({ size }) => size !== null && size <= 1_048_576))
  t.equal(files.reduce((sum, { count }) => sum + (count ?? 0), 0), 2_000)
})
