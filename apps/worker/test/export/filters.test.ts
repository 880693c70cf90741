import type { GivenExport } from '@fhir-bulk-export/core/testing/database'
import { sql } from 'kysely'
import t from 'tap'
import { idsOf, readExport, startWith } from '../fixtures/service.ts'

t.test('_typeFilter selects by SQL: AND within one, OR across, other types stay whole', async (t) => {
  const service = await startWith(t, 5)
  const { db } = service
  const identifier = JSON.stringify([{ system: 'urn:x', value: 'a,b|c' }])
  await sql`UPDATE source.patients SET gender = 'female', birth_date = '1980', active = true, mrn = 'M1' WHERE id = 'p1'`.execute(db)
  await sql`UPDATE source.patients SET gender = 'female', birth_date = '1980-05-17', active = false, deceased_date_time = '2020',
    identifier = ${identifier} WHERE id = 'p2'`.execute(db)
  await sql`UPDATE source.patients SET gender = 'male', birth_date = '1981-05-17' WHERE id = 'p3'`.execute(db)
  await sql`UPDATE source.patients SET birth_date = NULL, gender = NULL WHERE id = 'p4'`.execute(db)
  // What cannot be exported must not stop a search either.
  await sql`UPDATE source.patients SET birth_date = '9-9', identifier = '"odd"' WHERE id = 'p5'`.execute(db)

  const cases: Array<[filters: string[], ids: string[]]> = [
    [['Patient?gender=female'], ['p1', 'p2']],
    [['Patient?gender=female,male'], ['p1', 'p2', 'p3']],
    [['Patient?gender=http://hl7.org/fhir/administrative-gender|male'], ['p3']],
    [['Patient?gender=urn:other|male'], []],
    [['Patient?gender=female&active=true'], ['p1']],
    [['Patient?gender=female&active=true', 'Patient?gender=male'], ['p1', 'p3']],
    [['Patient?active=false'], ['p2']],
    [['Patient?deceased=true'], ['p2']],
    [['Patient?deceased=false'], ['p1', 'p3', 'p4']],
    [['Patient?birthdate=1980'], ['p1', 'p2']],
    [['Patient?birthdate=1980-05'], ['p2']],
    [['Patient?birthdate=1980-05-17'], ['p2']],
    [['Patient?birthdate=ne1980'], ['p3']],
    [['Patient?birthdate=gt1980-06'], ['p1', 'p3']],
    [['Patient?birthdate=ge1981'], ['p3']],
    [['Patient?birthdate=lt1980-05-17'], ['p1']],
    [['Patient?birthdate=le1980-05-17'], ['p1', 'p2']],
    [['Patient?birthdate=ge1980-05-17&birthdate=lt1981'], ['p1', 'p2']],
    [['Patient?identifier=urn:x|a\\,b\\|c'], ['p2']],
    [['Patient?identifier=urn:x|'], ['p2']],
    [['Patient?identifier=urn%3Ax%7Ca%5C%2Cb%5C%7Cc'], ['p2']],
    [['Patient?identifier=M1'], ['p1']],
    [['Patient?identifier=urn:other|M1'], []],
    [['Patient?_id=p1,p4'], ['p1', 'p4']],
    [["Patient?identifier=x' OR true --"], []],
    [['Consent?_id=none'], ['p1', 'p2', 'p3', 'p4']],
  ]
  for (const [filters, ids] of cases) t.same(await idsOf(service, { types: ['Patient'], _typeFilter: filters }), ids, filters.join(' or '))
  t.same(await idsOf(service, { _typeFilter: ['Patient?_id=p1'], types: ['Patient', 'Consent'] }), ['c1', 'c2', 'c3', 'c4', 'c5', 'p1'])
})

t.test('_typeFilter on documents, consents and provenance', async (t) => {
  const service = await startWith(t, 6)
  const { db } = service
  const concept = (system: string, code: string) => JSON.stringify({ coding: [{ system: 'urn:y', code: 'z' }, { system, code }] })
  await sql`UPDATE source.medical_records SET status = 'superseded', type = ${concept('http://loinc.org', '11506-3')},
    date = '2024-03-01 10:00:00.5+00' WHERE id = 'd1'`.execute(db)
  await sql`UPDATE source.medical_records SET category = ${`[${concept('urn:c', 'note')}]`}, master_identifier = '{"value":"mi"}',
    date = '2024-03-02 00:00+00' WHERE id = 'd2'`.execute(db)
  await sql`UPDATE source.consents SET status = 'revoked' WHERE id = 'c2'`.execute(db)
  await sql`UPDATE source.consents SET period_end = '2020-02' WHERE id = 'c3'`.execute(db)
  await sql`UPDATE source.consents SET period_end = '2020-02-03T10:00:00.25+02:00', category = ${`[${concept('urn:c', 'x')}]`}
    WHERE id = 'c4'`.execute(db)
  await sql`UPDATE source.consents SET provision = '{"period":{"end":"2999-02-03T10:00:00Z"}}' WHERE id = 'c5'`.execute(db)
  await sql`UPDATE source.consents SET period_end = '2020-02-31' WHERE id = 'c6'`.execute(db)
  await sql`UPDATE source.provenance_events
    SET recorded = '2001-01-01 12:00+00', target = '[{"reference": "DocumentReference/d1/_history/3"}, {"display": "x"}]'
      WHERE id = 'e1'`.execute(db)
  await sql`UPDATE source.provenance_events SET target = '[5, "odd", {"reference": 7}]' WHERE id = 'e6'`.execute(db)

  const cases: Array<[filter: string, ids: string[]]> = [
    ['DocumentReference?status=superseded', ['d1']],
    ['DocumentReference?type=http://loinc.org|11506-3', ['d1']],
    ['DocumentReference?type=11506-3', ['d1']],
    ['DocumentReference?type=urn:y|11506-3', []],
    ['DocumentReference?category=urn:c|', ['d2']],
    ['DocumentReference?identifier=mi', ['d2']],
    ['DocumentReference?date=2024-03-01', ['d1']],
    ['DocumentReference?date=2024-03-01T10:00:00Z', ['d1']],
    ['DocumentReference?date=ge2024-03-01&date=lt2024-03-02', ['d1']],
    ['DocumentReference?date=gt2024-03-01', ['d2']],
    ['DocumentReference?date=ge2024-03-01T12:00:00.500+02:00', ['d1', 'd2']],
    ['DocumentReference?date=ne2024-03-01', ['d2']],
    ['DocumentReference?patient=Patient/p3', ['d3']],
    ['DocumentReference?_lastUpdated=lt2020', []],
    ['Consent?status=active', ['c1', 'c3', 'c4', 'c5']],
    ['Consent?status=inactive', ['c2']],
    ['Consent?category=http://loinc.org|59284-0', ['c1', 'c2', 'c3', 'c5']],
    ['Consent?category=x', ['c4']],
    ['Consent?patient=p5', ['c5']],
    ['Provenance?recorded=2001', ['e1']],
    ['Provenance?target=DocumentReference/d1', ['e1']],
    ['Provenance?target=Patient/p2,d1', ['e1', 'e2']],
  ]
  for (const [filter, ids] of cases) {
    const type = filter.slice(0, filter.indexOf('?')) as 'Patient'
    t.same(await idsOf(service, { types: [type], _typeFilter: [filter] }), ids, filter)
  }
})

t.test('types, patients and groups: nothing is nothing', async (t) => {
  const service = await startWith(t, 5)
  const { db } = service
  const row = await service.run({
    types: [], _since: new Date(0),
    includeAssociatedData: ['RelevantProvenanceResources'], ignored: ['_type: Observation is not exported']
  })
  t.match(row, { status: 'completed', total_resources: 0 })
  t.match(await readExport(service, row.id), {
    'error.1.ndjson': [{
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'warning', code: 'not-supported', diagnostics: '_type: Observation is not exported' }]
    }]
  })

  t.same(await idsOf(service, { types: ['Patient', 'Consent'], patient: ['p2', 'p4', "x' OR true --"] }), ['c2', 'c4', 'p2', 'p4'])
  t.same(await idsOf(service, { patient: [] }), [])
  t.equal((await idsOf(service, { level: 'system' })).length, 20)

  await sql`INSERT INTO source.patient_groups (id) VALUES ('g1'), ('g2')`.execute(db)
  await sql`UPDATE source.patient_groups SET deleted_at = now() WHERE id = 'g2'`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id, inactive, deleted_at) VALUES
    ('1', 'g1', 'p1', NULL, NULL), ('2', 'g1', 'p2', true, NULL), ('3', 'g1', 'p3', false, now()), ('4', 'g1', 'p4', false, NULL),
    ('5', 'g2', 'p5', false, NULL)`.execute(db)
  t.same(await idsOf(service, { level: 'group', group_id: 'g1', types: ['Patient', 'Consent'] }), ['c1', 'c4', 'p1', 'p4'])
  t.same(await idsOf(service, { level: 'group', group_id: 'g1', types: ['Patient'], patient: ['p4', 'p5'] }), ['p4'])
  t.same(await idsOf(service, { level: 'group', group_id: 'g2' }), [], 'a deleted group has no members')
})

t.test('_until is inclusive, _since is not; what is published as transactionTime is no later', async (t) => {
  const service = await startWith(t, 3)
  const { db } = service
  await sql`ALTER TABLE source.patients DISABLE TRIGGER stamp_updated_at`.execute(db)
  const at = (second: number) => new Date(Date.UTC(2024, 0, 1, 0, 0, second))
  for (const i of [1, 2, 3]) await sql`UPDATE source.patients SET updated_at = ${at(i)} WHERE id = ${`p${i}`}`.execute(db)
  const types = ['Patient' as const]
  t.same(await idsOf(service, { types, _until: at(2) }), ['p1', 'p2'])
  t.same(await idsOf(service, { types, _since: at(1), _until: at(2) }), ['p2'])
  t.same(await idsOf(service, { types, _since: at(2) }), ['p3'])
  const row = await service.run({ types, _until: at(2) })
  t.same(row.transaction_time, at(2))
})

t.test('includeAssociatedData: the provenance of what is exported, or the latest of it', async (t) => {
  const service = await startWith(t, 3)
  const { db } = service
  const target = (...references: string[]) => JSON.stringify(references.map((reference) => ({ reference })))
  await sql`INSERT INTO source.provenance_events (id, patient_id, target, recorded) VALUES
    ('x1', 'p1', ${target('DocumentReference/d1')}, '2020-01-01'),
    ('x2', 'p1', ${target('DocumentReference/d1/_history/2', 'Patient/p1')}, '2021-01-01'),
    ('x3', 'p2', ${target('DocumentReference/d1')}, '2022-01-01'),
    ('x4', 'p2', ${target('Consent/c2')}, '2020-01-01')`.execute(db)
  await sql`UPDATE source.provenance_events SET recorded = '2019-01-01' WHERE id LIKE 'e%'`.execute(db)
  const latest = ['LatestProvenanceResources']
  const relevant = ['RelevantProvenanceResources']
  const provenance = async (values: GivenExport) => (await idsOf(service, values)).filter((id) => /^[ex]/.test(id))

  t.same(await provenance({}), ['e1', 'e2', 'e3', 'x1', 'x2', 'x3', 'x4'], 'all, where nothing is said')
  t.same(await provenance({ types: ['Patient'], includeAssociatedData: relevant }), [],
    'none, where it is not among the types: it may not be permitted')
  t.same(await idsOf(service, { types: ['Patient', 'Provenance'], includeAssociatedData: relevant }),
    ['e1', 'e2', 'e3', 'p1', 'p2', 'p3', 'x2'])
  t.same(await provenance({ types: ['Patient', 'Provenance'], includeAssociatedData: latest }), ['e2', 'e3', 'x2'])
  t.same(await provenance({ types: ['DocumentReference', 'Provenance'], includeAssociatedData: latest }), ['x3'])
  t.same(await provenance({ types: ['DocumentReference', 'Provenance'], includeAssociatedData: [...latest, ...relevant] }),
    ['x1', 'x2', 'x3'], 'the least restrictive')
  t.same(await provenance({
    types: ['DocumentReference', 'Provenance'], includeAssociatedData: latest, patient_id: 'p1',
    requester_role: 'PATIENT'
  }), ['x2'], "never somebody else's")
  t.same(await provenance({ types: ['Patient', 'Provenance'], includeAssociatedData: relevant, _typeFilter: ['Patient?_id=p3'] }), ['e3'])
  t.same(await provenance({ types: ['Provenance'], includeAssociatedData: latest }), ['e2', 'e3', 'x2', 'x3', 'x4'])
})

t.test('_elements: what is not listed is left out, and tagged', async (t) => {
  const service = await startWith(t, 1)
  const row = await service.run({ types: ['Patient', 'Consent'], _elements: ['Patient.gender', 'Consent.dateTime'] })
  const files = await readExport(service, row.id)
  t.same(Object.keys(files['Patient.1.ndjson']?.[0] ?? {}), ['resourceType', 'id', 'meta', 'gender'])
  t.same(Object.keys(files['Consent.1.ndjson']?.[0] ?? {}).sort(), ['category', 'id', 'meta', 'resourceType', 'scope', 'status'])
  t.match(files['Patient.1.ndjson'], [{ meta: { lastUpdated: String, tag: [{ code: 'SUBSETTED' }] } }])
})
