import t from 'tap'
import { assertBadRows, secret, type BadRow } from '../fixtures/bad-rows.ts'
import { lineOf } from '../fixtures/lines.ts'
import { findProblems } from '../fixtures/validators.ts'

const mr = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR', display: 'Medical record number' }] }

t.test('a row with nothing but its id becomes a Patient without empty elements', async (t) => {
  const { line, resource } = lineOf('Patient', { id: 'p-1', updated_at: '2024-01-31T09:30:00Z' })
  t.equal(line, '{"resourceType":"Patient","id":"p-1","meta":{"lastUpdated":"2024-01-31T09:30:00Z"}}\n')
  t.strictSame(findProblems(resource), [])
})

t.test('a full row becomes a full Patient', async (t) => {
  const same = {
    name: [{ use: 'official', family: 'Medhurst', given: ['Sumiko', 'Larue'], prefix: ['Mrs.'], period: { start: '1990' } }],
    telecom: [{ system: 'phone', value: '555-810-7203', use: 'home', rank: 1 }],
    gender: 'female',
    address: [{ use: 'home', line: ['633 Abernathy Landing'], city: 'Emporia', country: 'US' }],
    contact: [{ relationship: [{ text: 'mother' }], name: { text: 'Ada' }, gender: 'female' }],
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en-US' }] }, preferred: true }],
    link: [{ other: { reference: 'Patient/p-2' }, type: 'replaces' }],
    active: true,
  }
  const identifier = [{
    use: 'official', type: { text: 'SSN' }, system: 'http://hl7.org/fhir/sid/us-ssn', value: '999-94-5397',
    assigner: { display: 'SSA' }
  }]
  const maritalStatus = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M', display: 'Married' }] }
  const generalPractitioner = [{ reference: 'Practitioner/9', display: 'Dr. Kunze' }]
  const { resource } = lineOf('Patient', {
    ...same,
    id: 'p-1',
    identifier,
    mrn: '0042',
    birth_date: '1927-05',
    deceased: true,
    deceased_date_time: '1989-05-09T20:35:22-04:00',
    marital_status: maritalStatus,
    multiple_birth: true,
    multiple_birth_order: 2,
    general_practitioner: generalPractitioner,
    managing_organization: { reference: 'Organization/17' },
  }, { mrnSystem: 'https://hospital.example.org/mrn' })

  t.strictSame(resource, {
    ...same,
    resourceType: 'Patient',
    id: 'p-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123Z' },
    identifier: [...identifier, { type: mr, system: 'https://hospital.example.org/mrn', value: '0042' }],
    birthDate: '1927-05',
    deceasedDateTime: '1989-05-09T20:35:22-04:00',
    maritalStatus,
    multipleBirthInteger: 2,
    generalPractitioner,
    managingOrganization: { reference: 'Organization/17' },
  })
  t.strictSame(findProblems(resource), [])
})

t.test('the booleans of deceased and multiple birth stand where nothing more precise is known', async (t) => {
  const { resource } = lineOf('Patient', { deceased: false, multiple_birth: true })
  t.match(resource, { deceasedBoolean: false, multipleBirthBoolean: true })
  t.strictSame(findProblems(resource), [])
})

t.test('a bare medical record number is exported once, and without a system where none is configured', async (t) => {
  const identifier = [{ system: 'https://hospital.example.org/mrn', value: '0042' }]
  const mrnSystem = 'https://hospital.example.org/mrn'
  t.strictSame(lineOf('Patient', { mrn: '0042', identifier }, { mrnSystem }).resource.identifier, identifier)
  t.strictSame(lineOf('Patient', { mrn: '0042', resource: { identifier } }, { mrnSystem }).resource.identifier, identifier)
  t.strictSame(lineOf('Patient', { mrn: '"7"', resource: { identifier } }, { mrnSystem }).resource.identifier,
    [...identifier, { type: mr, system: mrnSystem, value: '"7"' }])
  const bare = lineOf('Patient', { mrn: '0042' }).resource
  t.strictSame(bare.identifier, [{ type: mr, value: '0042' }])
  t.strictSame(findProblems(bare), [])
})

t.test('what stands for nothing in a column is an absent key', async (t) => {
  const { resource } = lineOf('Patient', {
    mrn: '',
    gender: '',
    birth_date: '',
    name: [null, {}, { family: '', given: [], text: null, period: {} }],
    telecom: [],
    address: null,
    marital_status: {},
    managing_organization: '""',
    communication: 'null',
  })
  t.strictSame(resource, { resourceType: 'Patient', id: 'r-1', meta: { lastUpdated: '2024-01-31T09:30:00.123Z' } })
})

t.test('ids, extensions and extensions of primitives inside a column come out as they went in', async (t) => {
  const name = [{
    id: 'n1',
    extension: [{ url: 'http://example.org/x', valueString: 'y' }],
    family: 'Medhurst',
    _family: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/humanname-own-name', valueString: 'Medhurst' }] },
    given: ['Ada', null],
    _given: [null, { id: 'g', extension: [{ url: 'http://example.org/z', valueDecimal: 1 }] }],
  }]
  t.strictSame(lineOf('Patient', { name }).resource.name, name)
})

const bad: BadRow[] = [
  [{ id: null }, 'id', 'is required'],
  [{ id: 'a b' }, 'id', 'must be 1 to 64'],
  [{ id: 'x'.repeat(65) }, 'id', 'must be 1 to 64'],
  [{ updated_at: null }, 'meta.lastUpdated', 'is required'],
  [{ updated_at: 0x7fff_ffff_ffff_ffffn }, 'meta.lastUpdated', 'must be an instant'],
  [{ updated_at: -0x8000_0000_0000_0000n }, 'meta.lastUpdated', 'must be an instant'],
  [{ updated_at: 252_455_616_000_000_000n }, 'meta.lastUpdated', 'must be an instant'], // 10000-01-01
  [{ updated_at: -63_082_281_600_000_001n }, 'meta.lastUpdated', 'must be an instant'], // the year 1 BC
  [{ identifier: { value: secret } }, 'identifier', 'must be an array'],
  [{ identifier: [{ use: secret }] }, 'identifier[0].use', 'must be one of usual'],
  [{ identifier: [{ system: secret }] }, 'identifier[0].system', 'must be a URI'],
  [{ identifier: `{${secret}` }, 'identifier', 'must be an array'],
  [{ identifier: `[${secret}` }, 'identifier[0]', 'must be an object'],
  [{ mrn: `${secret}\u0001` }, 'identifier.value', 'control characters'],
  [{ name: [{ family: 1 }] }, 'name[0].family', 'must be a string'],
  [{ name: [{ family: `${secret}\u0000` }] }, 'name[0].family', 'control characters'],
  [{ name: '[{"family":"\\ud800"}]' }, 'name[0].family', 'Unicode'],
  [{ name: [{ family: 'x'.repeat(1024 * 1024 + 1) }] }, 'name[0].family', '1 MB'],
  [{ name: [{ family: 'a' }, { given: ['a', { x: secret }] }] }, 'name[1].given[1]', 'must be a string'],
  [{ name: [{ surname: secret }] }, 'name[0].surname', 'is not an element'],
  [{ name: [{ [secret]: 1 }] }, 'name[0].?', 'is not an element'],
  [{ name: [secret] }, 'name[0]', 'must be an object'],
  [{ name: [{ modifierExtension: [{ url: secret }] }] }, 'name[0].modifierExtension', 'is not an element'],
  [{ name: [{ period: { start: '2020-02-30' } }] }, 'name[0].period.start', 'must be a dateTime'],
  [{ telecom: [{ system: secret, value: secret }] }, 'telecom[0].system', 'must be one of phone'],
  [{ telecom: [{ system: 'phone', value: '1', rank: 0 }] }, 'telecom[0].rank', 'must be an integer'],
  [{ gender: secret }, 'gender', 'must be one of male, female, other, unknown'],
  [{ birth_date: '31.01.2024' }, 'birthDate', 'must be a date'],
  [{ birth_date: '2023-02-29' }, 'birthDate', 'must be a date'],
  [{ birth_date: '2024-01-31T00:00:00Z' }, 'birthDate', 'must be a date'],
  [{ deceased_date_time: '2024-01-31T09:30:00' }, 'deceasedDateTime', 'must be a dateTime'],
  [{ deceased_date_time: '2024-01-31 09:30' }, 'deceasedDateTime', 'must be a dateTime'],
  [{ address: [{ line: secret }] }, 'address[0].line', 'must be an array'],
  [{ address: [{ type: 'house' }] }, 'address[0].type', 'must be one of postal'],
  [{ marital_status: { coding: [{ code: ` ${secret}  x` }] } }, 'maritalStatus.coding[0].code', 'must be a code'],
  [{ multiple_birth_order: 'two' }, 'multipleBirthInteger', 'must be an integer'],
  [{ communication: [{ preferred: true }] }, 'communication[0].language', 'is required'],
  [{ link: [{ other: { reference: 'Patient/p-2' } }] }, 'link[0].type', 'is required'],
  [{ link: [{ type: 'refer' }] }, 'link[0].other', 'is required'],
]

t.test('a row that cannot be a Patient is an issue that names the element and shows no content', async (t) => {
  assertBadRows(t, 'Patient', {}, bad)
})
