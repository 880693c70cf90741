import { readText, type GivenExport } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { openClient } from '../fixtures/chain.ts'
import { exportFiles, idsOf, openService, type Service } from '../fixtures/service.ts'
import { findPublishedFiles } from '@fhir-bulk-export/core/exports'

const observation = '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":10.00}}'

/** Patients p1 and p2, an observation of each and one of nobody, practitioners, and a group of p1. */
async function openWith (overrides: Record<string, string> = {}): Promise<Service> {
  const service = await openService(t, overrides)
  const { db } = service
  await sql`SELECT source.create_relation('observation'), source.create_relation('practitioner')`.execute(db)
  await sql`INSERT INTO source.patients (id, resource) VALUES ('p1', '{"resourceType":"Patient","gender":"male"}'),
    ('p2', NULL)`.execute(db)
  await sql`INSERT INTO source.observation (id, patient_id, resource) SELECT id, patient_id, ${observation}::json FROM (VALUES ('o1', 'p1'),
    ('o2', 'p2'), ('o3', NULL)) AS v (id, patient_id)`.execute(db)
  await sql`INSERT INTO source.practitioner (id, resource) VALUES ('r1', '{"resourceType":"Practitioner"}'), ('r2', '{}')`.execute(db)
  await sql`INSERT INTO source.patient_groups (id) VALUES ('g1')`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id) VALUES ('1', 'g1', 'p1')`.execute(db)
  await service.startWorker({ EXPORT_LATE_COMMIT_MARGIN: '0ms', ...overrides })
  return service
}

t.test('levels: everything, what belongs to patients, and of a type that belongs to nobody all rows', async (t) => {
  const service = await openWith()
  const types = ['Patient', 'Observation', 'Practitioner']
  t.same(await idsOf(service, { level: 'system', types: [...types, 'Group'] }), ['g1', 'o1', 'o2', 'o3', 'p1', 'p2', 'r1', 'r2'])
  t.same(await idsOf(service, { types, level: 'patient' }), ['o1', 'o2', 'p1', 'p2', 'r1', 'r2'], 'an observation of nobody stays out')
  t.same(await idsOf(service, { types, level: 'patient', patient: ['p2'] }), ['o2', 'p2', 'r1', 'r2'])
  t.same(await idsOf(service, { types: [...types, 'Group'], level: 'group', group_id: 'g1' }), ['g1', 'o1', 'p1', 'r1', 'r2'])
  t.same(await idsOf(service, { types, level: 'patient', requester_role: 'PATIENT', patient_id: 'p1' }), ['o1', 'p1'],
    'a patient has nothing of what belongs to nobody')
  await sql`INSERT INTO source.patient_groups (id) VALUES ('g2')`.execute(service.db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id) VALUES ('2', 'g2', 'p2')`.execute(service.db)
  t.same(await idsOf(service, { types: ['Group'], level: 'group', group_id: 'g1' }), ['g1'],
    'another group names patients that are not of this one')
  t.same(await idsOf(service, { level: 'system', types: ['Group'] }), ['g1', 'g2'])
  t.match(await exportFiles(service, { level: 'system', types: ['Group'] }),
    { 'Group.1.ndjson': [{ id: 'g1', quantity: 1, member: [{ entity: { reference: 'Patient/p1' } }] }] })
})

t.test('a resource comes out digit by digit, from json, jsonb and text, from tables and views of few columns', async (t) => {
  const service = await openWith()
  const { db } = service
  for (const form of ['json', 'jsonb', 'text']) {
    await sql.raw(`DROP VIEW IF EXISTS source.immunization; CREATE VIEW source.immunization AS SELECT 'i1'::text AS id, now() AS updated_at,
      '{"status":"completed","vaccineCode":{"text":"\\u2028"},"patient":{"reference":"Patient/x"},"occurrenceString":"y",
        "doseQuantity":{"value":12345678901234567890.10}}'::${form} AS resource`)
      .execute(db)
    const row = await service.run({ level: 'system', types: ['Immunization'] })
    const [file] = await findPublishedFiles(db, row.id) ?? []
    t.match(file === undefined ? '' : await readText(service.store, file), '"value":12345678901234567890.10', form)
  }
  t.same(await idsOf(service, { types: ['Immunization'], level: 'patient' }), [], 'whose it is nobody knows')
  await sql`DROP TRIGGER touch_rows_of_patient ON source.patients; DROP TRIGGER touch_groups_of_patient ON source.patients`.execute(db)
  await sql`ALTER TABLE source.patients DROP COLUMN deleted_at, DROP COLUMN gender, DROP COLUMN mrn; ALTER TABLE source.patient_groups
    DROP COLUMN deleted_at;
    ALTER TABLE source.patient_group_members DROP COLUMN deleted_at, DROP COLUMN inactive, DROP COLUMN period_start;
      ALTER TABLE source.observation DROP COLUMN deleted_at`.execute(db)
  const types = ['Patient', 'Observation', 'Immunization', 'Group']
  t.same(await idsOf(service, { types, level: 'group', group_id: 'g1', _since: new Date(0) }), ['g1', 'o1', 'p1'])
  t.same(await idsOf(service, { level: 'system', types, _since: new Date(0) }), ['g1', 'i1', 'o1', 'o2', 'o3', 'p1', 'p2'])
  t.same(await idsOf(service, { level: 'system', types: ['Patient'], _typeFilter: ['Patient?gender=male'] }), ['p1'],
    'the filter finds the element where there is no column')
})

t.test('a relation that appears while the worker runs is read; one that is gone or has unknown columns is named', async (t) => {
  const service = await openWith()
  const { db } = service
  await sql`SELECT source.create_relation('encounter')`.execute(db)
  await sql`INSERT INTO source.encounter (id, patient_id, resource) VALUES
    ('e1', 'p1', '{"status":"finished","class":{"code":"AMB"}}')`.execute(db)
  t.same(await idsOf(service, { level: 'system', types: ['Encounter'] }), ['e1'])
  await t.rejects(exportFiles(service, { level: 'system', types: ['Condition'] }), /source\.condition is missing/)
  await sql`ALTER TABLE source.encounter ADD COLUMN secret_note text`.execute(db)
  await t.rejects(exportFiles(service, { level: 'system', types: ['Patient'] }),
    /source\.encounter\.secret_note is not a column that the service knows/)
  await t.rejects(service.startWorker(), { code: 'SOURCE_MISMATCH', message: /secret_note/ })
  await sql`ALTER TABLE source.encounter DROP COLUMN secret_note; CREATE VIEW source.encounters AS SELECT *
    FROM source.encounter`.execute(db)
  await t.rejects(service.startWorker(), {
    code: 'SOURCE_MISMATCH',
    message: /source\.encounters is not the relation of a resource type.*encounter/
  })
})

t.test('a chain of _since follows any type: changes, deletes, patients deleted and back, members that join', async (t) => {
  const service = await openWith()
  const { db } = service
  const [all, group] = await Promise.all([
    openClient(service, { level: 'system', types: ['Patient', 'Observation', 'Practitioner', 'Group'] }),
    openClient(service, { level: 'group', group_id: 'g1', types: ['Patient', 'Observation'] }),
  ])
  const follow = async () => {
    for (const client of [all, group]) await client.follow()
    return [all, group].map(({ held, deleted }) => ({
      held: [...held.keys()].map((name) => name.split('/')[1]).sort().join(' '),
      deleted: [...deleted].sort().join(' ')
    }))
  }
  t.same(await follow(), [{ held: 'g1 o1 o2 o3 p1 p2 r1 r2', deleted: '' }, { held: 'o1 p1', deleted: '' }])
  await sql`UPDATE source.observation SET deleted_at = now() WHERE id = 'o3'`.execute(db)
  await sql`UPDATE source.practitioner SET deleted_at = now() WHERE id = 'r2'`.execute(db)
  await sql`UPDATE source.patients SET deleted_at = now() WHERE id = 'p1'`.execute(db)
  t.same(await follow(), [{ held: 'g1 o2 p2 r1', deleted: 'Observation/o1 Observation/o3 Patient/p1 Practitioner/r2' },
    { held: '', deleted: 'Observation/o1 Patient/p1' }])
  await sql`UPDATE source.patients SET deleted_at = NULL WHERE id = 'p1'`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id) VALUES ('2', 'g1', 'p2')`.execute(db)
  t.same(await follow(), [{ held: 'g1 o1 o2 p1 p2 r1', deleted: '' }, { held: 'o1 o2 p1 p2', deleted: '' }])
})

t.test('includeAssociatedData, _elements and size limits of a type that is a resource', async (t) => {
  const service = await openWith({ EXPORT_MAX_ATTACHMENT_BYTES: '256KiB' })
  const { db } = service
  const provenance = (target: string, recorded: string) =>
    `{"target":[{"reference":"${target}"}],"recorded":"${recorded}","agent":[{"who":{"display":"x"}}]}`
  await sql`INSERT INTO source.provenance_events (id, patient_id, resource) VALUES
    ('x1', 'p1', ${provenance('Observation/o1', '2024-01-31T23:00:00-02:00')}),
    ('x2', 'p1', ${provenance('Observation/o1/_history/1', '2024-02-01T00:30:00Z')}),
    ('x3', NULL, ${provenance('Observation/o2', '2024-02-30T00:30:00Z')}),
    ('x4', 'p1', ${provenance('Patient/p1', '2024-02-01T00:30:00Z')})`.execute(db)
  const types = ['Observation', 'Provenance']
  const provenances = async (values: GivenExport) =>
    (await idsOf(service, { level: 'system', types, ...values })).filter((id) => id.startsWith('x'))
  t.same(await provenances({ includeAssociatedData: ['RelevantProvenanceResources'] }), ['x1', 'x2'],
    'x3, which is not valid, is told in error')
  t.same(await provenances({ includeAssociatedData: ['LatestProvenanceResources'] }), ['x1'], 'by the instant, not by its text')
  t.same(await provenances({ types: ['Provenance'], includeAssociatedData: ['RelevantProvenanceResources'] }), ['x1', 'x2', 'x4'])

  t.match(await exportFiles(service, { level: 'system', types: ['Observation'], _elements: ['subject'] }),
    { 'Observation.1.ndjson': [{ id: 'o1', valueQuantity: undefined, meta: { tag: [{ code: 'SUBSETTED' }] } }] })

  await sql`UPDATE source.observation SET resource = json_build_object('status', 'final', 'code', '{"text":"x"}'::json, 'valueString',
    repeat(md5(id), 10000)) WHERE id = 'o2'`.execute(db)
  const files = await exportFiles(service, { level: 'system', types: ['Observation'] })
  t.same(files['Observation.1.ndjson']?.map(({ id }) => id), ['o1', 'o3'])
  t.match(files['error.1.ndjson'],
    [{ issue: [{ diagnostics: /Observation\/o2: Observation is larger than EXPORT_MAX_ATTACHMENT_BYTES/ }] }])
})

t.test('a large table of resources is read by ranges, every row once', async (t) => {
  const service = await openWith({ EXPORT_READERS: '2' })
  await sql`INSERT INTO source.observation (id, patient_id, resource)
    SELECT 'n' || i, 'p1', json_build_object('status', 'final', 'code', '{"text":"x"}'::json, 'valueString', repeat(md5(i::text), 55))
      FROM generate_series(1, 40000) i`.execute(service.db)
  const files = await exportFiles(service, { level: 'system', types: ['Observation'] })
  t.same(Object.keys(files).sort(), ['Observation.1.ndjson', 'Observation.2.ndjson'])
  const ids = Object.values(files).flat().map(({ id }) => id)
  t.equal(ids.length, 40_003)
  t.equal(new Set(ids).size, 40_003)
})
