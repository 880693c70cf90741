import t from 'tap'
import { createLenience } from '../../src/parameters/lenience.ts'
import { parseKickOff } from '../../src/parameters/parse.ts'
import { readSentParameters } from '../../src/parameters/request.ts'
import type { KickOffContext } from '../../src/parameters/parameter.ts'

const now = new Date('2026-06-15T12:00:00.000Z')
const publicUrl = 'https://fhir.example.org/bulk'

const sourceTypes = ['Patient', 'Consent', 'DocumentReference', 'Group', 'Observation', 'Practitioner', 'Provenance']
const admin = { role: 'ADMIN', types: null, patientId: null } as const
const patient = { role: 'PATIENT', types: null, patientId: 'a' } as const

type Query = Record<string, string | string[]>
type Parsed = ReturnType<typeof parseKickOff>

const strict = { level: 'patient', publicUrl, now, sourceTypes, caller: admin, lenience: createLenience(false) } as const

function parse (query: Query, context: Partial<KickOffContext> = {}): Parsed {
  return parseKickOff(readSentParameters(query), { ...strict, ...context })
}

function parsePatients (references: string[], context: Partial<KickOffContext> = {}): string[] | undefined {
  const sent = references.map((value) => ({ name: 'patient', value, from: 'body' as const }))
  return parseKickOff(sent, { ...strict, ...context }).parameters.patient
}

/** What is left of a lenient request, and what it ignored. */
function parseLeniently (query: Query, context: Partial<KickOffContext> = {}): Parsed & { ignored: string[] } {
  const lenience = createLenience(true)
  return { ...parse(query, { ...context, lenience }), ignored: lenience.getIgnored() }
}

const all = ['Patient', 'Consent', 'DocumentReference', 'Observation', 'Provenance']

t.test('a request without parameters is for every type of the compartment and from the beginning', async (t) => {
  t.strictSame(parse({}), { types: all, parameters: {} })
})

t.test('types may be separated by commas, repeated or both; each counts once, in the order of the files', async (t) => {
  t.strictSame(parse({ _type: 'Patient' }).types, ['Patient'])
  t.strictSame(parse({ _type: 'Consent,Patient' }).types, ['Patient', 'Consent'])
  t.strictSame(parse({ _type: ['Consent', 'Patient,Consent'] }).types, ['Patient', 'Consent'])
})

t.test('blanks around the members of a list are let pass', async (t) => {
  for (const blank of [' ', '  ', '\t']) {
    const list = (...members: string[]) => blank + members.join(`${blank},${blank}`) + blank
    const parsed = parse({
      _type: list('Consent', 'Patient', 'Provenance'),
      _elements: list('id', 'Patient.name'),
      _typeFilter: list('Patient?gender=male', 'Consent?status=active'),
      includeAssociatedData: list('LatestProvenanceResources'),
    })
    t.strictSame(parsed, {
      types: ['Patient', 'Consent', 'Provenance'],
      parameters: {
        includeAssociatedData: ['LatestProvenanceResources'],
        _typeFilter: ['Patient?gender=male', 'Consent?status=active'],
        _elements: ['id', 'Patient.name'],
      },
    })
  }
})

t.test('the three spellings of NDJSON are accepted, also with a plus that became a space', async (t) => {
  for (const _outputFormat of ['application/fhir+ndjson', 'application/fhir ndjson', 'application/ndjson', 'ndjson']) {
    t.strictSame(parse({ _outputFormat }).types, all, _outputFormat)
  }
})

t.test('_since is an instant in any zone, to the microsecond', async (t) => {
  for (const [value, expected] of [
    ['2026-02-22T15:30:00Z', '2026-02-22T15:30:00.000000Z'],
    ['2026-02-22T15:30:00.5Z', '2026-02-22T15:30:00.500000Z'],
    ['2026-02-22T15:30:00.123456789Z', '2026-02-22T15:30:00.123456Z'],
    ['2026-02-22T15:30:00+02:00', '2026-02-22T13:30:00.000000Z'],
    ['2026-02-22T15:30:00 02:00', '2026-02-22T13:30:00.000000Z'],
    ['2026-02-22T15:30:00-05:30', '2026-02-22T21:00:00.000000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000Z'],
    ['0004-02-29T00:00:00Z', '0004-02-29T00:00:00.000000Z'],
    ['2026-02-22T15:30:00.000001Z', '2026-02-22T15:30:00.000001Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.000000Z'],
    ['2026-06-15T12:01:00.000Z', '2026-06-15T12:01:00.000000Z'],
  ] as const) {
    t.equal(parse({ _since: value }).parameters._since, expected, value)
  }
})

t.test('bad input is refused, and the parameter is named', async (t) => {
  const cases: Array<[Query, string, RegExp]> = [
    [{ _type: 'Condition' }, 'UNSUPPORTED_PARAMETER', /_type: Condition cannot be exported, the source has none/],
    [{ _type: 'DomainResource' }, 'UNSUPPORTED_PARAMETER', /_type: "DomainResource" is no resource type/],
    [{ _type: 'patient' }, 'UNSUPPORTED_PARAMETER', /_type: "patient"/],
    [{ _type: 'Patient, ' }, 'INVALID_PARAMETER', /_type has an empty value/],
    [{ _type: `Patient,${'x'.repeat(5_000)}` }, 'UNSUPPORTED_PARAMETER', /_type: "x{64}…"/],
    [{ _type: '' }, 'INVALID_PARAMETER', /_type has an empty value/],
    [{ _type: 'Patient,' }, 'INVALID_PARAMETER', /_type has an empty value/],
    [{ _type: ['Patient', ''] }, 'INVALID_PARAMETER', /_type has an empty value/],
    [{ _since: '' }, 'INVALID_PARAMETER', /_since has an empty value/],
    [{ _since: ['2026-02-22T15:30:00Z', '2026-02-22T15:30:00Z'] }, 'INVALID_PARAMETER', /_since may be given once only/],
    ...['2026', '2026-02-22', '2026-02-22T15:30Z', '2026-02-22T15:30:00', '2026-02-22 15:30:00Z', '2026-02-30T00:00:00Z',
      '2025-02-29T00:00:00Z',
      '2026-13-01T00:00:00Z', '2026-02-22T24:00:00Z', '2026-02-22T15:30:61Z', '2026-02-22T15:30:00+15:00', '2026-02-22t15:30:00z',
      '0000-01-01T00:00:00Z',
      '1771771003000', 'yesterday', '2026-02-22T15:30:00Z\n', '%zz'].map((_since): [Query, string, RegExp] =>
      [{ _since }, 'INVALID_PARAMETER', /_since must be an instant/]),
    [{ _since: '2026-06-15T12:01:00.001Z' }, 'INVALID_PARAMETER', /_since lies in the future/],
    [{ _outputFormat: '' }, 'INVALID_PARAMETER', /_outputFormat has an empty value/],
    [{ _outputFormat: ['ndjson', 'ndjson'] }, 'INVALID_PARAMETER', /_outputFormat may be given once only/],
    ...['text/csv', 'application/json', 'NDJSON', 'application/fhir+ndjson; charset=utf-8'].map((_outputFormat): [Query, string, RegExp] =>
      [{ _outputFormat }, 'INVALID_PARAMETER', /_outputFormat must be one of/]),
    ...['organizeOutputBy', 'allowPartialManifests']
      .map((name): [Query, string, RegExp] => [{ [name]: 'x' }, 'UNSUPPORTED_PARAMETER', new RegExp(`parameter ${name} is not supported`)]),
    [{ patient: 'Patient/1' }, 'INVALID_PARAMETER', /parameter patient may be given in the body of a POST only/],
    [{ _until: '2026' }, 'INVALID_PARAMETER', /_until must be an instant/],
    [{ _until: '2026-01-01T00:00:00Z', _since: '2026-01-01T00:00:00Z' }, 'INVALID_PARAMETER', /_until must be later than _since/],
    [{ _until: '2026-01-01T00:00:00+01:00', _since: '2026-01-01T00:00:00Z' }, 'INVALID_PARAMETER', /_until must be later than _since/],
    [{ _elements: 'id,' }, 'INVALID_PARAMETER', /_elements has an empty value/],
    ...['foo', 'Patient.foo', 'Patient.name.family', 'Patient.', '.id', 'deceasedBoolean', 'deceased[x]', 'Patient.subject', 'resourceType']
      .map((_elements): [Query, string, RegExp] => [
        { _elements }, 'UNSUPPORTED_PARAMETER', /_elements: ".*" is not a (root element|resource type)/,
      ]),
    [{ _typeFilter: 'Patient' }, 'INVALID_PARAMETER', /_typeFilter/],
    [{ _typeFilter: 'Observation?nope=1' }, 'UNSUPPORTED_PARAMETER', /_typeFilter/],
    [{ _typeFilter: 'Lab?_id=1' }, 'UNSUPPORTED_PARAMETER', /_typeFilter/],
    [{ _typeFilter: 'Practitioner?_id=1' }, 'INVALID_PARAMETER', /_typeFilter: Practitioner is not among the types/],
    [{ _typeFilter: 'Patient?_sort=name' }, 'UNSUPPORTED_PARAMETER', /_typeFilter/],
    [{ _typeFilter: 'Patient?gender=male', _type: 'Consent' }, 'INVALID_PARAMETER', /_typeFilter: Patient is not among the types/],
    [{ includeAssociatedData: '_customThing' }, 'UNSUPPORTED_PARAMETER', /includeAssociatedData: "_customThing"/],
    [{ includeAssociatedData: 'latestProvenanceResources' }, 'UNSUPPORTED_PARAMETER', /includeAssociatedData/],
    [{ _Type: 'Patient' }, 'UNSUPPORTED_PARAMETER', /"_Type"/],
    [{ foo: '1' }, 'UNSUPPORTED_PARAMETER', /"foo"/],
    [{ '': '' }, 'UNSUPPORTED_PARAMETER', /""/],
    [JSON.parse('{"__proto__":"x"}'), 'UNSUPPORTED_PARAMETER', /"__proto__"/],
    [{ constructor: 'x' }, 'UNSUPPORTED_PARAMETER', /"constructor"/],
  ]
  for (const [query, code, message] of cases) {
    t.throws(() => parse(query), { code, message }, JSON.stringify(query).slice(0, 100))
  }
})

t.test('_until is an instant that is never earlier than what was asked for', async (t) => {
  for (const [value, expected] of [
    ['2026-02-22T15:30:00+02:00', '2026-02-22T13:30:00.000000Z'],
    ['2026-02-22T15:30:00 02:00', '2026-02-22T13:30:00.000000Z'],
    ['2026-02-22T15:30:00.123Z', '2026-02-22T15:30:00.123000Z'],
    ['2026-02-22T15:30:00.1230000Z', '2026-02-22T15:30:00.123000Z'],
    ['2026-02-22T15:30:00.1234560Z', '2026-02-22T15:30:00.123456Z'],
    ['2026-02-22T15:30:00.1234561Z', '2026-02-22T15:30:00.123457Z'],
    ['2026-02-22T15:30:59.9999991Z', '2026-02-22T15:31:00.000000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000000Z'],
    ['2099-01-01T00:00:00Z', '2099-01-01T00:00:00.000000Z'],
  ] as const) {
    t.equal(parse({ _until: value }).parameters._until, expected, value)
  }
})

t.test('_elements are root elements of R4, with or without a type', async (t) => {
  t.strictSame(parse({
    _elements: ['id,Patient.name', 'Patient.name', 'Consent.provision,deceased', 'Observation.value,Encounter.class,vaccineCode'],
  }).parameters._elements,
  ['id', 'Patient.name', 'Consent.provision', 'deceased', 'Observation.value', 'Encounter.class', 'vaccineCode'])
})

t.test('a comma separates filters where a type follows it', async (t) => {
  t.strictSame(parse({ _typeFilter: 'Patient?gender=male,female,Consent?status=active' }).parameters._typeFilter, [
    'Patient?gender=male,female', 'Consent?status=active',
  ])
  t.strictSame(parse({ _typeFilter: ['Patient?gender=male', 'Patient?gender=male'] }).parameters._typeFilter, ['Patient?gender=male'])
})

t.test('includeAssociatedData: the least restrictive value counts, and Provenance comes although _type leaves it out', async (t) => {
  const latest = 'LatestProvenanceResources'
  const relevant = 'RelevantProvenanceResources'
  t.strictSame(parse({ includeAssociatedData: latest }).parameters.includeAssociatedData, [latest])
  t.strictSame(parse({ includeAssociatedData: `${latest},${relevant}` }).parameters.includeAssociatedData, [relevant])
  t.strictSame(parse({ includeAssociatedData: [relevant, latest] }).parameters.includeAssociatedData, [relevant])
  t.strictSame(parse({ includeAssociatedData: latest, _type: 'Patient' }).types, ['Patient', 'Provenance'])
  t.strictSame(parseLeniently({ includeAssociatedData: latest, _type: 'Condition' }).types, [], 'of nothing there is none')
  t.strictSame(parseLeniently({ includeAssociatedData: relevant, _type: 'Condition,Provenance' }).types, [], 'nor of what is not exported')
  t.strictSame(
    parseLeniently({ includeAssociatedData: relevant, _type: 'Patient', _typeFilter: 'Patient?nothing=x' }).types, [],
    'nor of what a filter cannot select'
  )
  t.strictSame(parse({ includeAssociatedData: relevant, _type: 'Provenance' }).types, ['Provenance'])
  t.throws(
    () => parse({ includeAssociatedData: latest, _type: 'Patient' }, { caller: { ...admin, types: new Set(['Patient']) } }),
    { code: 'FORBIDDEN' }
  )
  const withoutProvenance = { sourceTypes: ['Patient', 'Observation'] }
  t.throws(() => parse({ includeAssociatedData: latest }, withoutProvenance), {
    code: 'UNSUPPORTED_PARAMETER', message: /the source has no Provenance/,
  })
  t.match(parseLeniently({ includeAssociatedData: latest }, withoutProvenance), {
    types: ['Patient', 'Observation'], parameters: {}, ignored: [/the source has no Provenance: ignored/],
  })
})

t.test('a token\'s scopes limit the types, and refuse those that were asked for', async (t) => {
  const caller = { ...admin, types: new Set(['Consent', 'Patient', 'Practitioner']) }
  t.strictSame(parse({}, { caller }).types, ['Patient', 'Consent'])
  t.strictSame(parse({ _type: 'Consent' }, { caller }).types, ['Consent'])
  t.throws(() => parse({ _type: 'Consent,Provenance' }, { caller }), { code: 'FORBIDDEN', message: /Provenance/ })
  t.throws(() => parseLeniently({ _type: 'Consent,Provenance' }, { caller }), { code: 'FORBIDDEN' })
  t.strictSame(parse({}, { caller, level: 'system' }).types, ['Patient', 'Consent', 'Practitioner'])
  for (const types of [['Condition'], ['Practitioner'], ['Group']]) {
    t.throws(
      () => parse({}, { caller: { ...admin, types: new Set(types) } }), { code: 'FORBIDDEN', message: /cover none of the types/ },
      types.join()
    )
  }
})

t.test('without _type the level decides: all that the source has, or what belongs to patients', async (t) => {
  t.strictSame(parse({}, { level: 'system' }).types, sourceTypes)
  for (const level of ['patient', 'group'] as const) t.strictSame(parse({}, { level }).types, all)
  t.strictSame(parse({}, { caller: patient }).types, all)
  t.strictSame(parse({}, { sourceTypes: ['Practitioner'] }).types, [])
})

t.test('types outside of the Patient compartment are for an ADMIN who names them', async (t) => {
  for (const level of ['system', 'patient', 'group'] as const) {
    t.strictSame(parse({ _type: 'Practitioner,Group,Patient' }, { level }).types, ['Patient', 'Group', 'Practitioner'])
  }
  for (const type of ['Practitioner', 'Group', 'Medication']) {
    t.throws(
      () => parse({ _type: `Patient,${type}` }, { caller: patient }),
      { code: 'FORBIDDEN', message: new RegExp(`${type} is outside of the Patient compartment`) }, type
    )
    t.throws(() => parseLeniently({ _type: `Patient,${type}` }, { caller: patient }), { code: 'FORBIDDEN' }, `${type}, leniently`)
  }
})

t.test('patients are referred to by their id, relative or under our base', async (t) => {
  t.strictSame(parsePatients(['Patient/a', `${publicUrl}/fhir/r4/Patient/b`, 'Patient/a']), ['a', 'b'])
  for (const reference of [
    '', 'a', 'Patient/', 'patient/a', 'Group/a', 'Patient/a b', 'Patient/a/_history/1', 'https://other.example.org/fhir/r4/Patient/a', '#a',
    'Patient?identifier=1',
  ]) {
    for (const isLenient of [false, true]) {
      t.throws(
        () => parsePatients([reference], { lenience: createLenience(isLenient) }),
        { code: 'INVALID_PARAMETER', message: /parameter patient must be a reference/ }, reference
      )
    }
  }
  t.throws(() => parsePatients(['Patient/a'], { level: 'system' }), {
    code: 'INVALID_PARAMETER', message: /patient is not for exports at system level/,
  })
  t.strictSame(parsePatients(['Patient/a'], { caller: patient }), ['a'])
  t.throws(() => parsePatients(['Patient/a', 'Patient/b'], { caller: patient }), {
    code: 'FORBIDDEN', message: /parameter patient names another patient/,
  })
})

t.test('lenient: what is not supported is left out and told', async (t) => {
  const { types, ignored } = parseLeniently({ _type: 'Patient,Condition,Lab', foo: '1', organizeOutputBy: 'Patient' })
  t.strictSame(types, ['Patient'])
  t.match(ignored.toSorted(), [
    /^The parameter organizeOutputBy is not supported: ignored/, /^Unknown parameter "foo": ignored/,
    /^_type: "Lab" is no resource type of FHIR R4: ignored/, /^_type: Condition cannot be exported, the source has none: ignored/,
  ])
})

t.test('lenient never widens', async (t) => {
  t.strictSame(parseLeniently({ _type: 'Condition' }).types, [])
  t.strictSame(parseLeniently({ _elements: 'foo' }).parameters._elements, ['id'])
  t.strictSame(parseLeniently({ _elements: 'Patient.foo,Lab.code,Consent.status' }).parameters._elements, ['Patient.id', 'Consent.status'])
  t.strictSame(parseLeniently({ _elements: 'Lab.code' }).parameters._elements, ['id'])
  const onlyOthers = parseLeniently({ _typeFilter: 'Patient?_sort=name' })
  t.strictSame(
    onlyOthers.types, ['Consent', 'DocumentReference', 'Observation', 'Provenance'],
    'of a type whose filters are all ignored nothing is selected'
  )
  t.strictSame(onlyOthers.parameters, {})
  const alternatives = parseLeniently({ _typeFilter: ['Patient?_sort=name', 'Patient?gender=male'] })
  t.strictSame(alternatives.types, all)
  t.strictSame(alternatives.parameters._typeFilter, ['Patient?gender=male'])
})

t.test('lenient or not: what is malformed is refused', async (t) => {
  for (const query of [
    { _since: 'x' }, { _until: 'x' }, { _outputFormat: 'x' }, { patient: 'x' }, { _type: '' }, { _elements: '' },
    { _since: ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'] }, { _typeFilter: 'Patient' },
  ]) {
    t.throws(
      () => parseLeniently(query), { code: 'INVALID_PARAMETER', message: new RegExp(Object.keys(query)[0] ?? '') }, JSON.stringify(query)
    )
  }
})
