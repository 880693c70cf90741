import { join } from 'node:path'
import t from 'tap'
import { sql } from 'kysely'
import { loadFiles } from '../../src/load/index.ts'
import { secret } from '../fixtures/bad-rows.ts'
import { createLoadTest } from '../fixtures/load.ts'
import { readRows } from '../fixtures/read-rows.ts'

const patient = { resourceType: 'Patient', id: 'p-1', gender: 'female' }
const document = { resourceType: 'DocumentReference', id: 'd-1', status: 'current', subject: { reference: 'Patient/p-1' }, content: [{ attachment: { title: 'x' } }] }
const provenance = { resourceType: 'Provenance', id: 'e-1', target: [{ reference: 'DocumentReference/d-1' }], recorded: '2024-01-01T00:00:00Z', agent: [{ who: { display: 'X' } }] }
const consent = { resourceType: 'Consent', id: 'c-1', status: 'active', patient: { reference: 'Patient/p-1' }, scope: { text: 'x' }, category: [{ text: 'x' }], policyRule: { text: 'x' } }
const counts = (loaded: number, unchanged = 0, rejected = 0) => ({ loaded, unchanged, rejected })

t.test('a bad line is named by file, line and element, shows nothing of its content, and stops nothing', async t => {
  const { load, url } = await createLoadTest(t)
  const bad: Array<[line: unknown, problem: string]> = [
    [`{"resourceType":"Patient","id":"${secret}`, 'is not JSON'],
    ['[1]', 'is not a FHIR R4 resource'],
    [{ resourceType: secret }, 'is not a FHIR R4 resource'],
    [{ resourceType: 'Patient' }, 'Patient.id is required'],
    [{ ...patient, id: secret }, 'Patient.id must be 1 to 64 letters, digits, "-" and "."'],
    [{ ...patient, gender: secret }, 'Patient.gender must be one of male, female, other, unknown'],
    [{ ...patient, name: [{ family: [secret] }] }, 'Patient.name[0].family must be a string'],
    [{ ...patient, name: [{ family: `${secret}\u0000` }] }, 'Patient.name[0].family must not contain control characters'],
    [{ ...patient, implicitRules: secret }, 'Patient.implicitRules is not supported: it may change the meaning of the resource'],
    [{ ...patient, modifierExtension: [{ url: secret }] }, 'Patient.modifierExtension is not supported: it may change the meaning of what it stands in'],
    [{ ...patient, contact: [{ name: { text: 'x' }, modifierExtension: [{ url: secret }] }] }, 'Patient.contact[0].modifierExtension is not supported: it may change the meaning of what it stands in'],
    [{ ...patient, deceasedBoolean: true, deceasedDateTime: '2020' }, 'Patient.deceasedDateTime must not stand beside deceasedBoolean'],
    [{ ...document, subject: { reference: 'Group/g' } }, 'DocumentReference.subject.reference must be Patient/id: a row belongs to a patient'],
    [{ ...document, subject: { reference: `Patient?identifier=x|${secret}` } }, 'DocumentReference.subject.reference must be Patient/id: a row belongs to a patient'],
    [{ ...document, subject: undefined }, 'DocumentReference.subject is required'],
    [{ ...document, content: [{ attachment: { data: 'SGVsbG8=' } }] }, 'DocumentReference.content[0].attachment.contentType is required beside data'],
    [{ ...consent, policyRule: undefined }, 'Consent.policyRule is required where there is no policy'],
    [{ ...consent, status: 'revoked' }, 'Consent.status must be one of draft, proposed, active, rejected, inactive, entered-in-error'],
    [{ ...provenance, target: [{ reference: 'Observation/1' }] }, 'Provenance.target: none of its targets belongs to a patient in the source'],
    [{ ...provenance, target: [{ reference: 'DocumentReference/none' }] }, 'Provenance.target: none of its targets belongs to a patient in the source'],
    [{ ...provenance, agent: [{ type: { text: 'x' } }] }, 'Provenance.agent[0].who is required'],
    [{ ...provenance, agent: [{ type: { text: 'x' }, who: { reference: '#x' } }] }, 'Provenance.agent[0].who is required'],
    [{ resourceType: 'Group', id: 'g', type: 'device', actual: true }, 'Group.type must be person: only groups of patients are held'],
    [{ resourceType: 'Group', id: 'g', type: 'person', actual: false }, 'Group.actual must be true: a group without actual members is not held'],
  ]
  const report = await load(patient, ...bad.map(([line]) => line), { ...patient, id: 'p-2' })

  const expected = bad.map(([, problem], index) => ({ file: 'load-1.ndjson', line: index + 2, problem }))
  t.strictSame(report.problems.sort((a, b) => a.line - b.line), expected)
  t.equal(report.rejected, bad.length)
  t.strictSame(report.types.get('Patient'), counts(2, 0, 9))
  t.strictSame((await readRows(url, 'patients')).map(row => row.id), ['p-1', 'p-2'])
})

t.test('types may be mixed in any order: a Provenance finds its patient in rows that come after it', async t => {
  const { load, url } = await createLoadTest(t)
  const report = await load(
    { ...provenance, id: 'e-1' },
    { ...provenance, id: 'e-2', target: [{ reference: 'Observation/1' }, { reference: 'Consent/c-1' }] },
    { ...provenance, id: 'e-3', target: [{ reference: 'DocumentReference/d-1' }, { reference: 'Patient/p-9' }] },
    { resourceType: 'Encounter', id: 'x' }, { resourceType: 'Encounter', id: 'y' },
    document, consent, patient
  )
  t.strictSame(report.problems, [])
  t.strictSame(Object.fromEntries(report.types), { DocumentReference: counts(1), Consent: counts(1), Patient: counts(1), Provenance: counts(3) })
  t.strictSame(Object.fromEntries(report.skipped), { Encounter: 2 })
  t.strictSame((await readRows(url, 'provenance_events')).map(row => [row.id, row.patient_id]), [['e-1', 'p-1'], ['e-2', 'p-1'], ['e-3', 'p-9']])
})

t.test('what a row does not hold is counted by element', async t => {
  const { load } = await createLoadTest(t)
  const report = await load({
    ...patient,
    meta: { profile: ['x'], tag: [] },
    text: { status: 'empty' },
    contained: [{ resourceType: 'Organization', id: 'o' }],
    extension: [{ url: 'x' }],
    _birthDate: { extension: [{ url: 'x' }] },
    photo: [{ title: 'x' }],
    name: [{ id: 'n', family: 'A', given: ['a', null], _given: [null, { id: 'x' }] }, { family: 'B', id: 'm' }],
    managingOrganization: { reference: '#o', display: 'O' },
    generalPractitioner: [{ reference: '#o' }, { reference: 'Practitioner/1', identifier: { value: '1' } }],
    link: [{ type: 'refer', other: { reference: 'Patient/2/_history/1' } }],
  }, {
    ...consent, patient: { reference: 'Patient/p-1/_history/2', display: 'P' }, provision: { type: 'permit', purpose: [{ code: 'TREAT' }] },
  }, {
    resourceType: 'Group',
    id: 'g',
    type: 'person',
    actual: true,
    characteristic: [{ exclude: false }],
    member: [{ entity: { reference: 'Patient/1', display: 'P' } }, { entity: { reference: 'Patient/2', type: 'Patient', display: 'Q' } }, { entity: { reference: 'Device/1' } }],
  })
  t.strictSame(report.problems, [])
  t.strictSame(Object.fromEntries(report.notHeld), {
    'Patient.meta.profile is not held': 1,
    'Patient.text is not held': 1,
    'Patient.contained is not held': 1,
    'Patient.extension is not held': 1,
    'Patient._birthDate is not held': 1,
    'Patient.photo is not held': 1,
    'Patient.name.id is not held': 2,
    'Patient.name._given is not held': 1,
    'Patient.managingOrganization.reference is not held': 1,
    'Patient.generalPractitioner.reference is not held': 2,
    'Patient.link.other.reference is held without its version': 1,
    'Consent.patient.display is not held': 1,
    'Consent.patient.reference is held without its version': 1,
    'Consent.provision.type is moved into a nested provision': 1,
    'Group.characteristic is not held': 1,
    'Group.member.entity.display is not held': 2,
    'Group.member.entity.type is not held': 1,
    'Group.member.entity is not held': 1,
  })
})

t.test('loading again writes only what changed, and what is loaded is not deleted', async t => {
  const { load, db, url } = await createLoadTest(t)
  await load(patient, { ...patient, id: 'p-2' }, { ...patient, id: 'p-3' })
  const before = await readRows(url, 'patients')
  await sql`UPDATE source.patients SET deleted_at = now() WHERE id = 'p-3'`.execute(db)

  const report = await load(patient, { ...patient, id: 'p-2', gender: 'male' }, { ...patient, id: 'p-3' })
  t.strictSame(report.types.get('Patient'), counts(2, 1))
  const after = await readRows(url, 'patients')
  t.strictSame(after.map(row => [row.id, row.gender, row.deleted_at]), [['p-1', 'female', null], ['p-2', 'male', null], ['p-3', 'female', null]])
  t.equal(after[0]?.updated_at, before[0]?.updated_at, 'an equal row is not touched')
  t.not(after[1]?.updated_at, before[1]?.updated_at)
})

t.test('of lines with one id the last wins', async t => {
  const { load, url } = await createLoadTest(t)
  const report = await load(patient, { ...patient, gender: 'male' }, { ...patient, gender: 'other' })
  t.strictSame(report.types.get('Patient'), counts(3))
  t.strictSame((await readRows(url, 'patients')).map(row => row.gender), ['other'])
})

t.test('a group loaded again has the members of its new list', async t => {
  const { load, url } = await createLoadTest(t)
  const group = (...members: object[]) => ({ resourceType: 'Group', id: 'g', type: 'person', actual: true, name: 'G', member: members })
  const memberOf = (id: string, more: object = {}) => ({ entity: { reference: `Patient/${id}` }, ...more })
  const members = async () => (await readRows(url, 'patient_group_members'))
    .map(row => `${row.patient_id} ${row.period_start} ${row.inactive} ${row.deleted_at === null ? 'in' : 'out'}`).sort()

  t.strictSame((await load(group(memberOf('a'), memberOf('b', { period: { start: '2020' }, inactive: true }), memberOf('a', { period: { start: '2022' } })))).types.get('Group'), counts(1))
  t.strictSame(await members(), ['a 2022 null in', 'a null null in', 'b 2020 t in'])
  t.strictSame((await load(group(memberOf('a'), memberOf('b', { period: { start: '2020' }, inactive: true }), memberOf('a', { period: { start: '2022' } })))).types.get('Group'), counts(0, 1))
  t.strictSame((await load(group(memberOf('a'), memberOf('c')))).types.get('Group'), counts(1))
  t.strictSame(await members(), ['a 2022 null out', 'a null null in', 'b 2020 t out', 'c null null in'])
  await load(group(memberOf('b')))
  t.strictSame(await members(), ['a 2022 null out', 'a null null out', 'b null null in', 'c null null out'])
  await load(group())
  t.strictSame((await members()).filter(member => member.endsWith('in')), [])
})

t.test('a row that PostgreSQL refuses is named, and takes no other with it', async t => {
  const { load, db, url } = await createLoadTest(t)
  await sql`ALTER TABLE source.medical_records ADD CONSTRAINT short CHECK (length(description) < 10)`.execute(db)
  const lines = Array.from({ length: 50 }, (_, index) => ({ ...document, id: `d-${index}`, description: index === 17 || index === 33 ? `${secret} is long` : 'ok' }))
  const report = await load(...lines)
  t.strictSame(report.problems, [18, 34].map(line => ({ file: 'load-1.ndjson', line, problem: 'DocumentReference cannot be stored: PostgreSQL answers 23514 (short)' })))
  t.strictSame(report.types.get('DocumentReference'), counts(48, 0, 2))
  t.equal((await readRows(url, 'medical_records')).length, 48)
})

t.test('a database that fails is no bad line: the load stops', async t => {
  const { load, db } = await createLoadTest(t)
  await sql`DROP TABLE source.patients`.execute(db)
  await t.rejects(load(patient))
})

t.test('paths: files of any name, folders with all their .ndjson, nothing loaded if one is missing', async t => {
  const { db, url } = await createLoadTest(t)
  const folder = t.testdir({
    empty: {},
    tree: { a: { 'one.ndjson': JSON.stringify(patient), 'notes.txt': 'no' }, 'two.ndjson': JSON.stringify({ ...patient, id: 'p-2' }) },
    'three.json': JSON.stringify({ ...patient, id: 'p-3' }),
  })
  await t.rejects(loadFiles(db, [join(folder, 'tree'), join(folder, 'missing')]), { code: 'NOT_FOUND' } as Error & { code: string })
  await t.rejects(loadFiles(db, [join(folder, 'tree'), join(folder, 'empty')]), { code: 'NOT_FOUND' } as Error & { code: string })
  t.strictSame(await readRows(url, 'patients'), [])

  const report = await loadFiles(db, [join(folder, 'tree'), join(folder, 'three.json'), join(folder, 'three.json')])
  t.strictSame(report.types.get('Patient'), counts(3))
})

t.test('rows beyond one batch are all loaded, and progress is told', async t => {
  const { db, url } = await createLoadTest(t)
  const folder = t.testdir({
    'p.ndjson': Array.from({ length: 2_345 }, (_, index) => JSON.stringify({ ...patient, id: `p-${index}`, name: [{ text: 'x'.repeat(4_000) }] })).join('\n'),
  })
  const told: number[] = []
  const report = await loadFiles(db, [folder], { onProgress: ({ bytes, totalBytes }) => { told.push(bytes / totalBytes) } })
  t.strictSame(report.types.get('Patient'), counts(2_345))
  t.equal((await readRows(url, 'patients')).length, 2_345)
  t.ok(told.length > 1 && told.every((part, index) => part > (told[index - 1] ?? 0)))
  t.equal(told.at(-1), 1)
})
