import t from 'tap'
import { toPatient } from '../../src/fhir/index.ts'
import type { Column } from '../../src/source/relations.ts'
import { assertBadRows, secret, type BadRow } from '../fixtures/bad-rows.ts'
import { contextWith, rowOf } from '../fixtures/rows.ts'
import { findProblems } from '../fixtures/validators.ts'

const mr = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR', display: 'Medical record number' }] }

t.test('a row with nothing but its id becomes a Patient without empty elements', async t => {
  const patient = toPatient(rowOf('patients', { id: 'p-1', updated_at: '2024-01-31 09:30:00+00' }), contextWith())
  t.strictSame(patient, { resourceType: 'Patient', id: 'p-1', meta: { lastUpdated: '2024-01-31T09:30:00Z' } })
  t.strictSame(findProblems(patient), [])
})

t.test('a full row becomes a full Patient', async t => {
  const patient = toPatient(rowOf('patients', {
    id: 'p-1',
    updated_at: '2024-01-31 09:30:00.123456+00',
    active: true,
    identifier: [{ use: 'official', type: { text: 'SSN' }, system: 'http://hl7.org/fhir/sid/us-ssn', value: '999-94-5397', assigner: { display: 'SSA' } }],
    mrn: '0042',
    name: [{ use: 'official', family: 'Medhurst', given: ['Sumiko', 'Larue'], prefix: ['Mrs.'], period: { start: '1990' } }],
    telecom: [{ system: 'phone', value: '555-810-7203', use: 'home', rank: 1 }],
    gender: 'female',
    birth_date: '1927-05',
    deceased: true,
    deceased_date_time: '1989-05-09T20:35:22-04:00',
    address: [{ use: 'home', line: ['633 Abernathy Landing'], city: 'Emporia', country: 'US' }],
    marital_status: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M', display: 'Married' }] },
    multiple_birth: true,
    multiple_birth_order: 2,
    contact: [{ relationship: [{ text: 'mother' }], name: { text: 'Ada' }, gender: 'female' }],
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en-US' }] }, preferred: true }],
    general_practitioner: [{ reference: 'Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999974592', display: 'Dr. Kunze' }],
    managing_organization: { reference: 'Organization/17' },
    link: [{ other: { reference: 'Patient/p-2' }, type: 'replaces' }],
  }), contextWith({ mrnSystem: 'https://hospital.example.org/mrn' }))

  t.strictSame(patient, {
    resourceType: 'Patient',
    id: 'p-1',
    meta: { lastUpdated: '2024-01-31T09:30:00.123456Z' },
    identifier: [
      { use: 'official', type: { text: 'SSN' }, system: 'http://hl7.org/fhir/sid/us-ssn', value: '999-94-5397', assigner: { display: 'SSA' } },
      { type: mr, system: 'https://hospital.example.org/mrn', value: '0042' },
    ],
    active: true,
    name: [{ use: 'official', family: 'Medhurst', given: ['Sumiko', 'Larue'], prefix: ['Mrs.'], period: { start: '1990' } }],
    telecom: [{ system: 'phone', value: '555-810-7203', use: 'home', rank: 1 }],
    gender: 'female',
    birthDate: '1927-05',
    deceasedDateTime: '1989-05-10T00:35:22Z',
    address: [{ use: 'home', line: ['633 Abernathy Landing'], city: 'Emporia', country: 'US' }],
    maritalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M', display: 'Married' }] },
    multipleBirthInteger: 2,
    contact: [{ relationship: [{ text: 'mother' }], name: { text: 'Ada' }, gender: 'female' }],
    communication: [{ language: { coding: [{ system: 'urn:ietf:bcp:47', code: 'en-US' }] }, preferred: true }],
    generalPractitioner: [{
      type: 'Practitioner',
      identifier: { system: 'http://hl7.org/fhir/sid/us-npi', value: '9999974592' },
      display: 'Dr. Kunze',
    }],
    managingOrganization: { type: 'Organization', identifier: { value: '17' } },
    link: [{ other: { reference: 'Patient/p-2' }, type: 'replaces' }],
  })
  t.strictSame(findProblems(patient), [])
})

t.test('the booleans of deceased and multiple birth stand where nothing more precise is known', async t => {
  const patient = toPatient(rowOf('patients', { deceased: false, multiple_birth: true }), contextWith())
  t.equal(patient.deceasedBoolean, false)
  t.equal(patient.multipleBirthBoolean, true)
  t.strictSame(findProblems(patient), [])
})

t.test('a bare medical record number is exported once, and without a system where none is configured', async t => {
  const identifier = [{ system: 'https://hospital.example.org/mrn', value: '0042' }]
  const known = toPatient(rowOf('patients', { mrn: '0042', identifier }), contextWith({ mrnSystem: 'https://hospital.example.org/mrn' }))
  t.strictSame(known.identifier, identifier)
  const bare = toPatient(rowOf('patients', { mrn: '0042' }), contextWith())
  t.strictSame(bare.identifier, [{ type: mr, value: '0042' }])
  t.strictSame(findProblems(bare), [])
})

t.test('what stands for nothing is an absent key', async t => {
  const patient = toPatient(rowOf('patients', {
    mrn: '',
    gender: '',
    birth_date: '',
    name: [null, {}, { family: '', given: [], text: null, period: {} }],
    telecom: [],
    address: null,
    marital_status: {},
    managing_organization: '""',
    communication: 'null',
  }), contextWith())
  t.strictSame(patient, { resourceType: 'Patient', id: 'r-1', meta: { lastUpdated: '2024-01-31T09:30:00.123Z' } })
})

t.test('ids, extensions and extensions of primitives inside a column are not held', async t => {
  const patient = toPatient(rowOf('patients', {
    name: [{ id: 'n1', extension: [{ url: 'x', valueString: 'y' }], family: 'Medhurst', _family: { extension: [] }, given: ['Ada', null], _given: [null, { id: 'g' }] }],
  }), contextWith())
  t.strictSame(patient.name, [{ family: 'Medhurst', given: ['Ada'] }])
})

const bad: Array<BadRow<Partial<Record<Column<'patients'>, unknown>>>> = [
  [{ id: null }, 'id', 'must be 1 to 64'],
  [{ id: 'a b' }, 'id', 'must be 1 to 64'],
  [{ id: 'x'.repeat(65) }, 'id', 'must be 1 to 64'],
  [{ updated_at: null }, 'meta.lastUpdated', 'is required'],
  [{ updated_at: 'infinity' }, 'meta.lastUpdated', 'must be an instant'],
  [{ updated_at: '10000-01-01 00:00:00+00' }, 'meta.lastUpdated', 'must be an instant'],
  [{ updated_at: '0001-01-01 00:00:00+00 BC' }, 'meta.lastUpdated', 'must be an instant'],
  [{ active: secret }, 'active', 'must be true or false'],
  [{ identifier: { value: secret } }, 'identifier', 'must be an array'],
  [{ identifier: [{ use: secret }] }, 'identifier[0].use', 'must be one of usual'],
  [{ identifier: [{ system: secret }] }, 'identifier[0].system', 'must be a URI'],
  [{ identifier: secret }, 'identifier', 'must be JSON'],
  [{ mrn: `${secret}\u0001` }, 'identifier', 'control characters'],
  [{ mrn: '   ' }, 'identifier', 'blank'],
  [{ name: [{ family: 1 }] }, 'name[0].family', 'must be a string'],
  [{ name: [{ family: `${secret}\u0000` }] }, 'name[0].family', 'control characters'],
  [{ name: [{ family: ' \n' }] }, 'name[0].family', 'blank'],
  [{ name: '[{"family":"\\ud800"}]' }, 'name[0].family', 'Unicode'],
  [{ name: [{ family: 'x'.repeat(1024 * 1024 + 1) }] }, 'name[0].family', '1 MB'],
  [{ name: [{ family: 'a' }, { given: ['a', { x: secret }] }] }, 'name[1].given[1]', 'must be a string'],
  [{ name: [{ surname: secret }] }, 'name[0].surname', 'is not an element'],
  [{ name: [{ [secret]: 1 }] }, 'name[0]', 'is not an element'],
  [{ name: [secret] }, 'name[0]', 'must be an object'],
  [{ name: [{ modifierExtension: [{ url: secret }] }] }, 'name[0].modifierExtension', 'may change the meaning'],
  [{ name: [{ period: { start: '2020', end: '2019' } }] }, 'name[0].period', 'must not end before it starts'],
  [{ name: [{ period: { start: '2020-02-30' } }] }, 'name[0].period.start', 'must be a dateTime'],
  [{ telecom: [{ value: secret }] }, 'telecom[0].system', 'is required beside a value'],
  [{ telecom: [{ system: secret, value: secret }] }, 'telecom[0].system', 'must be one of phone'],
  [{ telecom: [{ system: 'phone', value: '1', rank: 0 }] }, 'telecom[0].rank', 'must be an integer'],
  [{ gender: secret }, 'gender', 'must be one of male, female, other, unknown'],
  [{ birth_date: '31.01.2024' }, 'birthDate', 'must be a date'],
  [{ birth_date: '2023-02-29' }, 'birthDate', 'must be a date'],
  [{ birth_date: '2024-01-31T00:00:00Z' }, 'birthDate', 'must be a date'],
  [{ deceased: secret }, 'deceasedBoolean', 'must be true or false'],
  [{ deceased_date_time: '2024-01-31T09:30:00' }, 'deceasedDateTime', 'must be a dateTime'],
  [{ deceased_date_time: '2024-01-31 09:30' }, 'deceasedDateTime', 'must be a dateTime'],
  [{ address: [{ line: secret }] }, 'address[0].line', 'must be an array'],
  [{ address: [{ type: 'house' }] }, 'address[0].type', 'must be one of postal'],
  [{ marital_status: { coding: [{ code: ` ${secret}  x` }] } }, 'maritalStatus.coding[0].code', 'must be a code'],
  [{ multiple_birth_order: 'two' }, 'multipleBirthInteger', 'must be an integer'],
  [{ contact: [{ gender: 'male' }] }, 'contact[0]', 'must have a name'],
  [{ contact: [{ organization: { reference: 'Patient/1' } }] }, 'contact[0].organization', 'must refer to one of Organization'],
  [{ communication: [{ preferred: true }] }, 'communication[0].language', 'is required'],
  [{ general_practitioner: [{ reference: '#p1' }] }, 'generalPractitioner[0].reference', 'contained'],
  [{ general_practitioner: [{ reference: secret }] }, 'generalPractitioner[0].reference', 'is not a reference'],
  [{ managing_organization: { type: 'Organization' } }, 'managingOrganization', 'must have a reference'],
  [{ link: [{ other: { reference: 'Patient/p-2' } }] }, 'link[0].type', 'is required'],
  [{ link: [{ type: 'refer' }] }, 'link[0].other', 'is required'],
]

t.test('a row that cannot be a Patient is an error that names the element and shows no content', async t => {
  assertBadRows(t, values => toPatient(rowOf('patients', values), contextWith()), bad)
})
