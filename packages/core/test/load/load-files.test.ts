import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { loadFiles } from '../../src/load/index.ts'
import { secret } from '../fixtures/bad-rows.ts'
import { createLoadTest } from '../fixtures/load.ts'

const patient = { resourceType: 'Patient', id: 'p-1', gender: 'female' }
const observation = { resourceType: 'Observation', id: 'o-1', status: 'final', code: { text: 'x' }, subject: { reference: 'Patient/p-1' } }
const counts = (loaded: number, unchanged = 0, rejected = 0) => ({ loaded, unchanged, rejected })

t.test('what is no valid R4 is named by file, line and element, shows nothing of its content, and stops nothing', async t => {
  const { load, query } = await createLoadTest(t)
  const bad: Array<[line: unknown, problem: string]> = [
    [`{"resourceType":"Patient","id":"${secret}`, 'Patient.id must be JSON'],
    [`${JSON.stringify(patient)} ${secret}`, 'Patient must be JSON'],
    ['[1]', 'resource must be an object'],
    [{ resourceType: secret }, 'resource.resourceType is required'],
    [{ resourceType: 'Secret' }, 'resource.resourceType is not a resource type of FHIR R4'],
    [{ id: secret }, 'resource.resourceType is required'],
    [{ ...patient, id: secret }, 'Patient.id must be 1 to 64 letters, digits, "-" and "."'],
    [{ ...patient, gender: secret }, 'Patient.gender must be one of male, female, other, unknown'],
    [{ ...patient, name: [{ family: [secret] }] }, 'Patient.name[0].family must be a string'],
    [{ ...patient, name: [{ family: `${secret}\u0000` }] }, 'Patient.name[0].family must not contain control characters'],
    [{ ...patient, deceasedBoolean: true, deceasedDateTime: '2020' }, 'Patient.deceased[x] must stand only once, with one type'],
    [{ ...observation, status: undefined }, 'Observation.status is required'],
    [{ ...observation, contained: [{ resourceType: 'Patient', name: secret }] }, 'Observation.contained[0].name must be an array'],
    [`{"resourceType":"Patient","gender":"male","gender":"${secret}"}`, 'Patient.gender stands twice'],
  ]
  const { problems, rejected, types } = await load(patient, ...bad.map(([line]) => line), { ...patient, id: 'p-2' })
  t.strictSame(problems, bad.map(([, problem], index) => ({ file: 'all.ndjson', line: index + 2, problem })))
  t.equal(rejected, bad.length)
  t.strictSame(Object.fromEntries(types), { Observation: counts(0, 0, 2), Patient: counts(2, 0, 8), unknown: counts(0, 0, 4) })
  t.strictSame(await query('SELECT id FROM source.patients ORDER BY id'), [{ id: 'p-1' }, { id: 'p-2' }])
})

t.test('any type has its relation, made where it is missing', async t => {
  const { load, query } = await createLoadTest(t)
  await load(patient, observation, { resourceType: 'SubstancePolymer', id: 's' }, {
    resourceType: 'DocumentReference', id: 'd',
    status: 'current', content: [{ attachment: { title: 'x' } }]
  })
  t.strictSame(await query('SELECT id, resource, patient_id, deleted_at FROM source.observation'),
    [{ id: 'o-1', resource: JSON.stringify(observation), patient_id: 'p-1', deleted_at: null }])
  t.strictSame(await query('SELECT id, patient_id FROM source.substance_polymer'), [{ id: 's', patient_id: null }])
  t.strictSame(await query('SELECT id, patient_id, status FROM source.medical_records'), [{ id: 'd', patient_id: null, status: null }])
})

t.test('the patient is the first one that the compartment\'s references name, in the order of its definition', async t => {
  const { load, query } = await createLoadTest(t)
  const refer = (...references: string[]) => references.map(reference => ({ reference }))
  const performed = (id: string, subject: string, ...performers: string[]) => ({
    ...observation, id, subject: { reference: subject },
    performer: refer(...performers)
  })
  const { problems } = await load(
    performed('subject', 'Patient/a', 'Patient/b'),
    performed('performer', 'Group/g', 'Practitioner/x', 'Patient/b', 'Patient/c'),
    performed('version', 'Patient/a/_history/2', 'Patient/b'),
    performed('nobody', 'Device/1', 'Organization/1'),
    performed('elsewhere', 'https://elsewhere.example.org/Patient/a', '#p', 'Patient?identifier=x', 'Patient/a/b',
      'urn:uuid:0b8a6b3c-6a2e-4f53-9a55-3c1c8c1f0a02'),
    {
      resourceType: 'Appointment', id: 'deep', status: 'proposed', participant: [{ status: 'accepted', actor: { reference: 'Location/1' } },
        { status: 'accepted', actor: { reference: 'Patient/c' } }]
    },
    {
      resourceType: 'Provenance', id: 'target', target: refer('DocumentReference/1', 'Patient/d'), recorded: '2024-01-01T00:00:00Z',
      agent: [{ who: { reference: 'Patient/e' } }]
    },
    { resourceType: 'Organization', id: 'outside', name: 'x', contact: [{ name: { text: 'Patient/a' } }] }
  )
  t.strictSame(problems, [])
  t.strictSame(await query(`
    SELECT id, patient_id FROM source.observation UNION ALL SELECT id, patient_id FROM source.appointment
    UNION ALL SELECT id, patient_id FROM source.provenance_events UNION ALL SELECT id, patient_id FROM source.organization ORDER BY id`), [
    { id: 'deep', patient_id: 'c' }, { id: 'elsewhere', patient_id: null }, { id: 'nobody', patient_id: null },
    { id: 'outside', patient_id: null },
    { id: 'performer', patient_id: 'b' }, { id: 'subject', patient_id: 'a' }, { id: 'target', patient_id: 'd' },
    { id: 'version', patient_id: 'a' },
  ])
})

t.test('loading again writes only what changed, and what is loaded is not deleted', async t => {
  const { load, query } = await createLoadTest(t)
  await load(patient, { ...patient, id: 'p-2' }, { ...patient, id: 'p-3' }, observation)
  const before = await query('SELECT id, updated_at FROM source.patients ORDER BY id')
  await query("UPDATE source.patients SET deleted_at = now() WHERE id = 'p-3'")

  const { types } = await load(patient, { ...patient, id: 'p-2', gender: 'male' }, { ...patient, id: 'p-3' },
    { ...observation, subject: { reference: 'Patient/p-2' } })
  t.strictSame(Object.fromEntries(types), { Patient: counts(2, 1), Observation: counts(1) })
  const after = await query("SELECT id, updated_at, resource->>'gender' AS gender, deleted_at FROM source.patients ORDER BY id")
  t.strictSame(after.map(row => [row.id, row.gender, row.deleted_at]), [['p-1', 'female', null], ['p-2', 'male', null],
    ['p-3', 'female', null]])
  t.equal(after[0]?.updated_at, before[0]?.updated_at, 'an equal row is not touched')
  t.not(after[1]?.updated_at, before[1]?.updated_at)
  t.strictSame(await query('SELECT patient_id FROM source.observation'), [{ patient_id: 'p-2' }])
})

t.test('numbers of other digits are a change, in json and in jsonb', async t => {
  const { load, query } = await createLoadTest(t)
  const weight = (value: string) =>
    `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":${value}}}`
  await load(weight('10.0'))
  for (const form of ['json', 'jsonb']) {
    await query(`ALTER TABLE source.observation ALTER resource TYPE ${form} USING resource::${form}`)
    t.strictSame((await load(weight('10.00'))).types.get('Observation'), counts(1), form)
    t.strictSame((await load(weight('10.00'))).types.get('Observation'), counts(0, 1), form)
    t.strictSame((await load(weight('10.0'))).types.get('Observation'), counts(1), form)
    t.strictSame(await query("SELECT resource->'valueQuantity'->>'value' AS value FROM source.observation"), [{ value: '10.0' }])
  }
})

t.test('columns of a row that is loaded again are NULL: the resource is all of it', async t => {
  const { load, query } = await createLoadTest(t)
  await query('INSERT INTO source.patients (id, gender, name) VALUES (\'p-1\', \'male\', \'[{"family":"Old"}]\')')
  t.strictSame((await load(patient)).types.get('Patient'), counts(1))
  t.strictSame(await query('SELECT gender, name, resource FROM source.patients'),
    [{ gender: null, name: null, resource: JSON.stringify(patient) }])
  await query("UPDATE source.patients SET mrn = '7'")
  t.strictSame((await load(patient)).types.get('Patient'), counts(1))
  t.strictSame(await query('SELECT mrn FROM source.patients'), [{ mrn: null }])
})

t.test('of lines with one id the last wins', async t => {
  const { load, query } = await createLoadTest(t)
  t.strictSame((await load(patient, { ...patient, gender: 'male' }, { ...patient, gender: 'other' })).types.get('Patient'), counts(3))
  t.strictSame(await query("SELECT resource->>'gender' AS gender FROM source.patients"), [{ gender: 'other' }])
})

t.test('a resource without an id gets one of its content, the same each time', async t => {
  const { load, query } = await createLoadTest(t)
  const given = { ...observation, id: undefined }
  t.strictSame((await load(given, { ...given, status: 'amended' })).types.get('Observation'), counts(2))
  t.strictSame((await load(given, { ...given, status: 'amended' })).types.get('Observation'), counts(0, 2))
  const rows = await query("SELECT id, resource->>'id' AS own FROM source.observation")
  t.ok(rows.length === 2 && rows.every(({ id, own }) => /^[0-9a-f]{64}$/.test(id ?? '') && own === null))
})

t.test('a group loaded again has the members of its new list', async t => {
  const { load, query } = await createLoadTest(t)
  const group = (...members: object[]) => ({
    resourceType: 'Group', id: 'g', type: 'person', actual: true, name: 'G',
    member: members.length === 0 ? undefined : members
  })
  const memberOf = (id: string, more: object = {}) => ({ entity: { reference: id.includes('/') ? id : `Patient/${id}` }, ...more })
  const members = async () => (await query('SELECT * FROM source.patient_group_members'))
    .map(row => `${row.patient_id} ${row.period_start} ${row.inactive} ${row.deleted_at === null ? 'in' : 'out'}`).sort()
  const first = group(memberOf('a'), memberOf('b', { period: { start: '2020' }, inactive: true }), memberOf('Practitioner/p'),
    memberOf('a/_history/1', { period: { start: '2022' } }))

  t.strictSame((await load(first)).types.get('Group'), counts(1))
  t.strictSame(await members(), ['a null null in', 'b 2020 t in'])
  t.strictSame((await load(first)).types.get('Group'), counts(0, 1))
  t.strictSame((await load(group(memberOf('a'), memberOf('c'), memberOf('a', { period: { start: '2022' } })))).types.get('Group'),
    counts(1))
  t.strictSame(await members(), ['a 2022 null in', 'a null null in', 'b 2020 t out', 'c null null in'])
  await load(group(memberOf('b')), { ...group(memberOf('a')), id: 'h' })
  t.strictSame(await members(), ['a 2022 null out', 'a null null in', 'a null null out', 'b null null in', 'c null null out'])
  await load(group())
  t.strictSame((await members()).filter(member => member.endsWith('in')), ['a null null in'], 'those of another group stay')
  t.strictSame((await load({ ...group(memberOf('Device/d')), id: 'i', type: 'device' })).problems, [], 'of devices no member is a row')
})

t.test('a row that PostgreSQL refuses is named, and takes no other with it', async t => {
  const { load, query } = await createLoadTest(t)
  await query(
    "SELECT source.create_relation('observation'); ALTER TABLE source.observation ADD CONSTRAINT short CHECK " +
      "(length(resource->'code'->>'text') < 10)"
  )
  const lines = Array.from({ length: 50 }, (_, index) => ({
    ...observation, id: `o-${index}`,
    code: { text: index === 17 || index === 33 ? `${secret} is long` : 'ok' }
  }))
  const { problems, types } = await load(...lines)
  t.strictSame(problems,
    [18, 34].map(line => ({ file: 'all.ndjson', line, problem: 'Observation cannot be stored: PostgreSQL answers 23514 (short)' })))
  t.strictSame(types.get('Observation'), counts(48, 0, 2))
  t.strictSame(await query('SELECT count(*) FROM source.observation'), [{ count: '48' }])
})

t.test('a database that fails is no bad line: the load stops', async t => {
  const { load, query } = await createLoadTest(t)
  await query('ALTER TABLE source.patients DROP COLUMN resource')
  await t.rejects(load(patient), {
    code: 'SOURCE_MISMATCH',
    message: 'source.patients has no column resource: run `migrate --source` first.'
  })
  await query('DROP FUNCTION source.create_relation')
  await t.rejects(load(observation), {
    code: 'SOURCE_MISMATCH',
    message: 'source.observation is missing, and nothing makes it: run `migrate --source` first.'
  })
  await query('CREATE VIEW source.observation AS SELECT id, updated_at, patient_id, NULL::json AS resource FROM source.consents')
  await t.rejects(load(observation), { code: '0A000' })
})

t.test('files: lines, packed lines, a resource, a Bundle\'s entries; folders with all of these below them', async t => {
  const { loadAll, query } = await createLoadTest(t)
  const report = await loadAll({
    'a.ndjson': `\uFEFF${JSON.stringify(patient)}\r\n\r\n${JSON.stringify({ ...patient, id: 'p-2' })}`,
    'b.ndjson.gz': gzipSync(`${JSON.stringify(observation)}\n${JSON.stringify({ ...observation, id: 'o-2' })}\n`),
    'c.json': JSON.stringify({ ...patient, id: 'p-3' }, null, 2),
    'd.json': JSON.stringify({
      resourceType: 'Bundle', type: 'collection',
      entry: [{ resource: { ...patient, id: 'p-4' } }, {}, { resource: observation }]
    }),
    'e.ndjson': JSON.stringify({ resourceType: 'Bundle', id: 'b', type: 'collection' }),
    'notes.txt': 'no',
  })
  t.strictSame(report.problems, [])
  t.strictSame(Object.fromEntries(report.types), {
    Bundle: counts(1), Observation: counts(report.types.get('Observation')?.loaded ?? 0,
      3 - (report.types.get('Observation')?.loaded ?? 0)), Patient: counts(4)
  })
  t.strictSame(await query(
    'SELECT id FROM source.observation UNION ALL SELECT id FROM source.patients UNION ALL SELECT id FROM source.bundle ORDER BY id'
  ),
  ['b', 'o-1', 'o-2', 'p-1', 'p-2', 'p-3', 'p-4'].map(id => ({ id })))
})

t.test('in a Bundle a resource is found by its fullUrl: its id, and the patient of others', async t => {
  const { loadAll, query } = await createLoadTest(t)
  const uuid = '0b8a6b3c-6a2e-4f53-9a55-3c1c8c1f0a02'
  const entries = [
    {
      fullUrl: 'urn:uuid:0B8A6B3C-6A2E-4F53-9A55-3C1C8C1F0A01',
      resource: { ...observation, id: undefined, subject: { reference: `urn:uuid:${uuid}` } }
    },
    { fullUrl: `urn:uuid:${uuid}`, resource: { ...patient, id: undefined } },
    { fullUrl: 'https://elsewhere.example.org/Patient/7', resource: { ...patient, id: 'eva' } },
    { fullUrl: 'https://elsewhere.example.org/Patient/8', resource: { ...patient, id: undefined, gender: 'other' } },
    { resource: { ...observation, id: 'o-2', subject: { reference: 'https://elsewhere.example.org/Patient/7' } } },
    { resource: { ...observation, id: 'o-3', subject: { reference: 'https://elsewhere.example.org/Patient/8' } } },
    { resource: { resourceType: 'Group', id: 'g', type: 'person', actual: true, member: [{ entity: { reference: `urn:uuid:${uuid}` } }] } },
    { resource: { ...patient, id: 'bad', gender: secret } },
  ]
  const { problems } = await loadAll({
    'bundle.json': `{\n"resourceType": "Bundle",\n"entry": [\n${entries.map(entry => JSON.stringify(entry)).join(',\n')}\n]}`,
  })
  t.strictSame(problems, [{
    file: 'bundle.json', line: 11,
    problem: 'Bundle.entry[7].resource.gender must be one of male, female, other, unknown'
  }])
  const hashed = (await query("SELECT id FROM source.patients WHERE resource->>'gender' = 'other'"))[0]?.id
  t.match(hashed, /^[0-9a-f]{64}$/)
  t.strictSame(await query('SELECT id, patient_id FROM source.observation ORDER BY id'), [
    { id: '0b8a6b3c-6a2e-4f53-9a55-3c1c8c1f0a01', patient_id: uuid }, { id: 'o-2', patient_id: 'eva' }, { id: 'o-3', patient_id: hashed },
  ])
  t.strictSame(await query('SELECT patient_id FROM source.patient_group_members'), [{ patient_id: uuid }])
  t.strictSame(await query("SELECT resource->'subject'->>'reference' AS reference FROM source.observation ORDER BY id LIMIT 1"),
    [{ reference: `urn:uuid:${uuid}` }], 'nothing is rewritten')
})

t.test('a file that ends in the middle is named, and what came before is loaded', async t => {
  const { loadAll, query } = await createLoadTest(t)
  const lines = Array.from({ length: 3_000 }, (_, index) => JSON.stringify({
    ...patient, id: `p-${index}`,
    name: [{ text: `${Math.random()}` }]
  }))
  const bundle = JSON.stringify({
    resourceType: 'Bundle',
    entry: [{ resource: { ...observation, id: 'o-1' } }, { resource: { ...observation, id: 'o-2' } }]
  })
  const packed = gzipSync(lines.join('\n'))
  const { problems } = await loadAll({
    'a.ndjson.gz': packed.subarray(0, packed.length / 2), 'b.json': bundle.slice(0, -20),
    'c.ndjson': JSON.stringify({ ...patient, id: 'p-x' })
  })
  t.strictSame(problems.map(({ file, problem }) => [file, problem]).sort(), [['a.ndjson.gz', 'cannot be read from here on (Z_BUF_ERROR)'],
    ['b.json', 'is not JSON']])
  t.ok(Number((await query("SELECT count(*) FROM source.patients WHERE id <> 'p-x'"))[0]?.count) > 500)
  t.strictSame(await query("SELECT id FROM source.patients WHERE id = 'p-x'"), [{ id: 'p-x' }])
})

t.test('nothing is loaded where a path is missing, or a folder has nothing to load', async t => {
  const { pool, query } = await createLoadTest(t)
  const folder = t.testdir({ empty: { 'notes.txt': 'no' }, tree: { 'one.ndjson': JSON.stringify(patient) } })
  for (const other of ['missing', 'empty']) {
    await t.rejects(loadFiles(pool, [join(folder, 'tree'), join(folder, other)]), { code: 'NOT_FOUND' })
  }
  t.strictSame(await query('SELECT id FROM source.patients'), [])
  t.strictSame((await loadFiles(pool, [join(folder, 'tree'), join(folder, 'tree', 'one.ndjson')])).types.get('Patient'), counts(1),
    'a file that is named twice is read once')
})

t.test('rows beyond one batch are all loaded, of several files at once, and progress is told', async t => {
  const { pool, query } = await createLoadTest(t)
  const file = (name: string) => Array.from({ length: 6_000 },
    (_, index) => JSON.stringify({ ...patient, id: `${name}-${index}`, name: [{ text: 'x'.repeat(400) }] })).join('\n')
  const folder = t.testdir({ 'a.ndjson': file('a'), 'b.ndjson': file('b'), 'c.ndjson': file('a') })
  const told: Array<{ resources: number, bytes: number, totalBytes: number }> = []
  const { types } = await loadFiles(pool, [folder], { onProgress: progress => { told.push(progress) } })
  const { loaded = 0, unchanged = 0 } = types.get('Patient') ?? {}
  t.equal(loaded + unchanged, 18_000)
  t.strictSame(await query('SELECT count(*) FROM source.patients'), [{ count: '12000' }])
  const last = told.at(-1)
  t.ok(told.length > 1 && told.every(({ bytes }, index) => bytes >= (told[index - 1]?.bytes ?? 0)))
  t.strictSame([last?.resources, last?.bytes], [18_000, last?.totalBytes])
})
