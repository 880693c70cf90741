import { sql } from 'kysely'
import t from 'tap'
import { openTestDatabase } from '../fixtures/database.ts'
import { givenResources, search } from '../fixtures/search.ts'

const observation = (id: string, values: object) => ({ resourceType: 'Observation', id, status: 'final', code: { text: 'x' }, ...values })
const loinc = (code: string) => ({ coding: [{ system: 'http://loinc.org', code }] })

const observations = [
  observation('o1', {
    code: loinc('8480-6'),
    category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }] }],
    effectiveDateTime: '2024-03-01T10:00:00Z',
    valueQuantity: { value: 120.0, unit: 'mmHg', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
    subject: { reference: 'Patient/p1' },
    meta: { tag: [{ system: 'urn:t', code: 'a' }], profile: ['http://example.org/vital|1.0'], security: [{ code: 'R' }] },
  }),
  observation('o2', {
    status: 'amended', code: { coding: [{ code: '8480-6' }, { system: 'urn:x', code: 'y,z|1' }] }, category: [{ text: 'none' }],
    effectivePeriod: { start: '2024-02', end: '2024-03-15' }, valueQuantity: { value: 99.6, unit: 'mmHg' },
    subject: { reference: 'http://other.example.org/fhir/Patient/p1' }, meta: { profile: ['http://example.org/vital'] },
  }),
  observation('o3', {
    effectiveDateTime: '2023', valueCodeableConcept: {
      coding: [{ system: 'http://snomed.info/sct', code: '260385009' }],
      text: 'Negative'
    }, subject: { reference: 'Group/p1' }, component: [{ code: loinc('8462-4'), valueQuantity: { value: 80 } }]
  }),
  observation('o4', {
    effectiveInstant: '2024-03-01T10:00:00.5Z', valueString: 'Élevé  trop',
    subject: { reference: 'Patient/p2/_history/3', identifier: { system: 'urn:mrn', value: '7' } }
  }),
  observation('o5', {
    effectiveTiming: { event: ['2022-01-01', '2022-06-01'] }, valueInteger: 5,
    performer: [{ reference: 'Practitioner/d1' }, { reference: '#c' }]
  }),
]

async function openObservations () {
  const db = await openTestDatabase(t)
  await givenResources(db, 'Observation', observations)
  return db
}

const cases: Array<[search: string, ids: string[]]> = [
  // https://hl7.org/fhir/R4/search.html#token
  ['code=8480-6', ['o1', 'o2']],
  ['code=http://loinc.org|8480-6', ['o1']],
  ['code=|8480-6', ['o2']],
  ['code=http://loinc.org|', ['o1']],
  ['code=urn:x|y\\,z\\|1', ['o2']],
  ['code=8480-6,nothing', ['o1', 'o2']],
  ['code:not=http://loinc.org|8480-6', ['o2', 'o3', 'o4', 'o5']],
  ['category=vital-signs', ['o1']],
  ['category:missing=true', ['o3', 'o4', 'o5']],
  ['category:missing=false', ['o1', 'o2']],
  ['status=amended', ['o2']],
  ['status=http://hl7.org/fhir/observation-status|amended', ['o2']],
  ['status=urn:other|amended', []],
  ['status:not=amended', ['o1', 'o3', 'o4', 'o5']],
  ['combo-code=http://loinc.org|8462-4,http://loinc.org|8480-6', ['o1', 'o3']],
  ['component-code=8462-4', ['o3']],
  ['value-concept=260385009', ['o3']],
  ['_tag=urn:t|a', ['o1']],
  ['_security=R', ['o1']],
  ['_profile=http://example.org/vital', ['o1', 'o2']],
  ['_profile=http://example.org/vital|1.0', ['o1']],
  ['_id=o1,o4', ['o1', 'o4']],
  // #date: o1 is a second, o2 a period, o3 a year, o4 half a second, o5 from January to June
  ['date=2024', ['o1', 'o2', 'o4']],
  ['date=2024-03-01', ['o1', 'o4']],
  ['date=2024-03-01T10:00Z', ['o1', 'o4']],
  ['date=2024-03-01T10:00:00Z', ['o1', 'o4']],
  ['date=2024-03-01T12:00:00.5+02:00', ['o4']],
  ['date=2024-03-01T12:00:00.5 02:00', ['o4']],
  ['date=ne2024', ['o3', 'o5']],
  ['date=gt2024-03-01', ['o2']],
  ['date=ge2024-03-01', ['o1', 'o2', 'o4']],
  ['date=sa2024-02-29', ['o1', 'o4']],
  ['date=lt2024-03-01', ['o2', 'o3', 'o5']],
  ['date=le2023', ['o3', 'o5']],
  ['date=eb2023', ['o5']],
  ['date=eb2024-03', ['o3', 'o5']],
  ['date=ge2022&date=lt2023', ['o5']],
  ['date=ap2024-03-01', ['o1', 'o2', 'o4']],
  ['date=2022,2023', ['o3', 'o5']],
  // #quantity and #number
  ['value-quantity=120', ['o1']],
  ['value-quantity=100', ['o2']],
  ['value-quantity=99.6', ['o2']],
  ['value-quantity=99.60', ['o2']],
  ['value-quantity=1.2e2', ['o1']],
  ['value-quantity=gt99.6', ['o1']],
  ['value-quantity=ge99.6', ['o1', 'o2']],
  ['value-quantity=lt100', ['o2']],
  ['value-quantity=ne120', ['o2']],
  ['value-quantity=ap110', ['o1', 'o2']],
  ['value-quantity=120|http://unitsofmeasure.org|mm[Hg]', ['o1']],
  ['value-quantity=120||mm[Hg]', ['o1']],
  ['value-quantity=gt1||mmHg', ['o1', 'o2']],
  ['value-quantity=120|http://unitsofmeasure.org|mg', []],
  ['combo-value-quantity=80', ['o3']],
  // #string
  ['value-string=eleve', ['o4']],
  ['value-string=ELEVÉ', ['o4']],
  ['value-string=trop', []],
  ['value-string:contains=TROP', ['o4']],
  ['value-string:exact=Élevé  trop', ['o4']],
  ['value-string:exact=élevé  trop', []],
  ['value-string=neg', ['o3']],
  // #reference
  ['subject=Patient/p1', ['o1']],
  ['subject=p1', ['o1', 'o3']],
  ['patient=p1', ['o1']],
  ['patient=Patient/p1', ['o1']],
  ['patient=Group/p1', []],
  ['subject:Group=p1', ['o3']],
  ['subject=http://other.example.org/fhir/Patient/p1', ['o2']],
  ['patient=p2', ['o4']],
  ['subject:identifier=urn:mrn|7', ['o4']],
  ['subject:missing=true', ['o5']],
  ['performer=Practitioner/d1', ['o5']],
  ['performer=c', []],
  // AND and OR
  ['code=8480-6&status=final', ['o1']],
  ['code=8480-6&code=y\\,z\\|1', ['o2']],
  ["code=x' OR true --", []],
  ['code=%7C8480-6', ['o2']],
]

t.test('Observation: every kind of parameter means what R4 says', async (t) => {
  const db = await openObservations()
  for (const [asked, ids] of cases) t.same(await search(db, `Observation?${asked}`, { now: new Date('2024-03-02T00:00:00Z') }), ids, asked)
  t.same(await search(db, ['Observation?code=y\\,z\\|1', 'Observation?value-string=neg']), ['o2', 'o3'],
    'repeated filters are alternatives')
  await sql`UPDATE source.observation SET updated_at = '2020-05-17T10:00:00.123456Z' WHERE id = 'o1'`.execute(db)
})

t.test('other types: contact points, names, addresses, booleans, codes of others, canonical references', async (t) => {
  const db = await openTestDatabase(t)
  await givenResources(db, 'Practitioner', [
    {
      id: 'a', name: [{ family: 'Müller', given: ['Jörg Peter'] }], telecom: [{ system: 'phone', value: '555' },
        { system: 'email', value: 'a@example.org' }], active: true, address: [{ city: 'Zürich', line: ['Hauptstraße 1'], use: 'home' }]
    },
    { id: 'b', name: [{ text: 'ИВАН' }], telecom: [{ system: 'fax', value: '555' }], active: false },
    { id: 'c' },
  ])
  const practitioners: Array<[string, string[]]> = [
    ['phone=555', ['a']], ['telecom=555', ['a', 'b']], ['telecom=fax|555', ['b']], ['email=a@example.org', ['a']],
    ['name=muller', ['a']], ['name=jorg', ['a']], ['family=MULLER', ['a']], ['given=peter', []], ['given:contains=peter', ['a']],
    ['name=иван', ['b']], ['name:exact=ИВАН', ['b']],
    ['active=true', ['a']], ['active=false', ['b']], ['active:missing=true', ['c']], ['active:not=true', ['b', 'c']],
    ['address=zurich', ['a']], ['address-city=z', ['a']], ['address=hauptstr', ['a']], ['address-use=home', ['a']],
    ['address-use=http://hl7.org/fhir/address-use|home', ['a']],
  ]
  for (const [asked, ids] of practitioners) t.same(await search(db, `Practitioner?${asked}`), ids, asked)

  await givenResources(db, 'CarePlan', [
    { id: 'a', instantiatesCanonical: ['http://example.org/plan|2'], instantiatesUri: ['http://example.org/plan'] },
  ])
  t.same(await search(db, 'CarePlan?instantiates-canonical=http://example.org/plan'), ['a'])
  t.same(await search(db, 'CarePlan?instantiates-canonical=http://example.org/plan|3'), [])
  t.same(await search(db, 'CarePlan?instantiates-uri=http://example.org/plan'), ['a'])

  await givenResources(db, 'RiskAssessment', [
    { id: 'a', prediction: [{ probabilityDecimal: 0.1 }] },
    { id: 'b', prediction: [{ probabilityRange: { low: { value: 0.2 }, high: { value: 0.4 } } }] },
  ])
  const risks: Array<[string, string[]]> = [['probability=0.1', ['a']], ['probability=gt0.3', ['b']], ['probability=lt0.3', ['a', 'b']],
    ['probability=sa0.1', ['b']], ['probability=0.3', []]]
  for (const [asked, ids] of risks) t.same(await search(db, `RiskAssessment?${asked}`), ids, asked)

  await givenResources(db, 'Invoice', [{ id: 'a', totalGross: { value: 10.5, currency: 'EUR' } }])
  const invoices: Array<[string, string[]]> = [['totalgross=10.5', ['a']], ['totalgross=10.5||EUR', ['a']],
    ['totalgross=10.5|urn:iso:std:iso:4217|EUR', ['a']], ['totalgross=10.5|urn:x|EUR', []], ['totalgross=10.5||USD', []]]
  for (const [asked, ids] of invoices) t.same(await search(db, `Invoice?${asked}`), ids, asked)
})

t.test('columns are searched as they are exported, over what the resource has', async (t) => {
  const db = await openTestDatabase(t)
  await sql`INSERT INTO source.patients (id, gender, birth_date, mrn, deceased, deceased_date_time, name, identifier, resource) VALUES
    ('a', 'female', '1980', 'M1', NULL, NULL, '[{"family":"Ada"}]', NULL, NULL),
    ('b', 'male', '1980-05-17', NULL, false, '2020', NULL, '[{"system":"urn:x","value":"1"}]',
    '{"gender":"female","telecom":[{"system":"phone","value":"5"}]}'),
    ('c', NULL, '9-9', NULL, NULL, NULL, '"odd"', '"odd"', '{"gender":"female","birthDate":"1990-02-31"}'),
    ('d', '', NULL, '', false, NULL, '[]', NULL, '{"deceasedBoolean":true}')`.execute(db)
  const patients: Array<[string, string[]]> = [
    ['gender=female', ['a', 'c']], ['gender=male', ['b']], ['phone=5', ['b']], ['birthdate=1980', ['a', 'b']],
    ['birthdate=1980-05-17', ['b']], ['birthdate=gt1980-06', ['a']], ['birthdate:missing=true', ['d']],
    ['identifier=M1', ['a']], ['identifier=urn:mrn|M1', ['a']], ['identifier=urn:x|1', ['b']], ['deceased=true', ['b']],
    ['deceased=false', ['a', 'c', 'd']], ['death-date=2020', ['b']], ['name=ada', ['a']], ['family:missing=true', ['b', 'c', 'd']],
  ]
  for (const [asked, ids] of patients) t.same(await search(db, `Patient?${asked}`, { mrnSystem: 'urn:mrn' }), ids, asked)
  t.same(await search(db, 'Patient?identifier=urn:mrn|M1'), [])

  await sql`INSERT INTO source.consents (id, patient_id, status, period_start, period_end, provision, category, resource) VALUES
    ('a', 'p', 'revoked', '2020', NULL, NULL, NULL, NULL),
    ('b', 'p', 'active', NULL, NULL,
    '{"period":{"start":"2022"},"actor":[{"role":{"text":"r"},"reference":{"reference":"Organization/1"}}]}', '[{"coding":[{"code":"x"}]}]',
      NULL),
    ('c', 'p', NULL, NULL, '2021', NULL, NULL,
    '{"status":"active","patient":{"reference":"Patient/q"},"provision":{"period":{"start":"2021"}}}')`.execute(db)
  const consents: Array<[string, string[]]> = [
    ['status=inactive', ['a']], ['status=active', ['b', 'c']], ['patient=p', ['a', 'b']], ['patient=Patient/q', ['c']],
    ['category=http://loinc.org|59284-0', ['a']], ['category=x', ['b']],
    ['scope=patient-privacy', ['a', 'b']], ['period=2021', ['c']], ['period=ge2022', ['a', 'b']], ['actor=Organization/1', ['b']],
  ]
  for (const [asked, ids] of consents) t.same(await search(db, `Consent?${asked}`), ids, asked)

  await sql`INSERT INTO source.medical_records (id, patient_id, status, date, event, period_start, resource) VALUES
    ('a', 'p', 'current', '2024-03-01 10:00:00.5+00', '[{"coding":[{"code":"e"}]}]', '2024', NULL),
    ('b', 'p', 'current', NULL, NULL, NULL,
    '{"context":{"event":[{"coding":[{"code":"e"}]}]},"date":"2024-03-01T10:00:00.500Z"}')`.execute(db)
  const documents: Array<[string, string[]]> = [
    ['event=e', ['a', 'b']], ['period=ge2024', ['a']], ['period=2024', []], ['date=2024-03-01', ['a', 'b']],
    ['date=2024-03-01T10:00:00.5Z', ['a', 'b']], ['date=gt2024-03-01', []], ['subject=p', ['a']], ['status=current', ['a', 'b']],
  ]
  for (const [asked, ids] of documents) t.same(await search(db, `DocumentReference?${asked}`), ids, asked)

  await sql`INSERT INTO source.patient_groups (id) VALUES ('g'), ('h')`.execute(db)
  await sql`INSERT INTO source.patient_group_members (id, group_id, patient_id) VALUES ('1', 'g', 'a')`.execute(db)
  t.same(await search(db, 'Group?member=Patient/a'), ['g'])
  t.same(await search(db, 'Group?type=person'), ['g', 'h'])
})
