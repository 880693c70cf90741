import t from 'tap'
import { isServiceError } from '../../src/errors.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { assertFewConditions, parseTypeFilter, searchParameters, splitTypeFilters, toFilterSql } from '../../src/filters/index.ts'
import { exportedTypes } from '../../src/source/index.ts'

t.test('a filter is a type and its parameters', async t => {
  t.same(parseTypeFilter('Patient?gender=male,female&birthdate=ge1980'), {
    type: 'Patient', parameters: [{ name: 'gender', values: ['male', 'female'] }, { name: 'birthdate', values: ['ge1980'] }],
  })
  t.same(parseTypeFilter('DocumentReference?type=http%3A%2F%2Floinc.org%7C11506-3').parameters, [{ name: 'type', values: ['http://loinc.org|11506-3'] }])
  t.same(parseTypeFilter('Patient?identifier=a\\,b').parameters, [{ name: 'identifier', values: ['a\\,b'] }])
  t.same(parseTypeFilter('Provenance?recorded=ge2024-01-01T00:00:00 02:00').parameters, [{ name: 'recorded', values: ['ge2024-01-01T00:00:00 02:00'] }])
})

t.test('a comma separates filters where a type follows, else values', async t => {
  t.same(splitTypeFilters('Patient?gender=male,female,Consent?status=active'), ['Patient?gender=male,female', 'Consent?status=active'])
  t.same(splitTypeFilters('Patient?_id=A,B'), ['Patient?_id=A,B'])
})

const refused: Array<[text: string, code: ErrorCode, message: RegExp]> = [
  ['', 'INVALID_PARAMETER', /^_typeFilter must be a search/],
  ['Patient', 'INVALID_PARAMETER', /^_typeFilter must be a search/],
  ['Patient?', 'INVALID_PARAMETER', /^_typeFilter Patient\? must have parameters/],
  ['Patient?gender=male&', 'INVALID_PARAMETER', /must have parameters/],
  ['Observation?code=x', 'UNSUPPORTED_PARAMETER', /^_typeFilter must be a search of one of Patient/],
  ['patient?gender=male', 'UNSUPPORTED_PARAMETER', /one of Patient/],
  ['Patient?name=x', 'UNSUPPORTED_PARAMETER', /Patient\?name, only _id, _lastUpdated/],
  ['Patient?__proto__=x', 'UNSUPPORTED_PARAMETER', /Patient\?__proto__/],
  ['Patient?Some Name=x', 'UNSUPPORTED_PARAMETER', /Patient\?this parameter/],
  ...['_include', '_revinclude', '_sort', '_count', '_elements', '_summary', '_total', '_has:Consent:patient:status', '_filter', '_query'].map((name): [string, ErrorCode, RegExp] =>
    [`Patient?${name}=x`, 'UNSUPPORTED_PARAMETER', new RegExp(`^_typeFilter does not support Patient\\?${name}`)]),
  ['Patient?gender:not=male', 'UNSUPPORTED_PARAMETER', /modifiers: Patient\?gender:not/],
  ['Consent?patient.gender=male', 'UNSUPPORTED_PARAMETER', /chained parameters: Consent\?patient\.gender/],
  ['Consent?patient:Patient.gender=male', 'UNSUPPORTED_PARAMETER', /modifiers/],
  ['Patient?gender=', 'INVALID_PARAMETER', /Patient\?gender must not be empty/],
  ['Patient?gender', 'INVALID_PARAMETER', /Patient\?gender must not be empty/],
  ['Patient?gender=male,', 'INVALID_PARAMETER', /Patient\?gender must not be empty/],
  ['Patient?gender=|male', 'UNSUPPORTED_PARAMETER', /Patient\?gender does not take a token without system/],
  ['Patient?gender=%', 'INVALID_PARAMETER', /percent/],
  ['Patient?identifier=a%00', 'INVALID_PARAMETER', /Patient\?identifier must be text/],
  ['Patient?identifier=\ud800', 'INVALID_PARAMETER', /Patient\?identifier must be text/],
  ['Patient?active=yes', 'INVALID_PARAMETER', /Patient\?active must be true or false/],
  ['Patient?_id=a b', 'INVALID_PARAMETER', /Patient\?_id must be an id/],
  ['Consent?patient=Group/1', 'INVALID_PARAMETER', /Consent\?patient must be an id or Patient\/id/],
  ['Provenance?target=https://e.org/Patient/1', 'INVALID_PARAMETER', /Provenance\?target must be Type\/id/],
  ...['1980-13', '1980-02-30', '80', '0000', 'today', '1980-01-01T10', '1980-01-01T10:00:00', '1980-01-01T25:00Z', 'ge', '2024-01-01T10:00:00.1234567Z'].map((date): [string, ErrorCode, RegExp] =>
    [`DocumentReference?date=${date}`, 'INVALID_PARAMETER', /DocumentReference\?date must be a date/]),
  ['DocumentReference?date=ap2024', 'UNSUPPORTED_PARAMETER', /date does not take the prefix "ap"/],
  ['Patient?birthdate=1980-01-01T10:00Z', 'INVALID_PARAMETER', /Patient\?birthdate must be a date: YYYY/],
]

for (const [text, code, message] of refused) {
  t.test(`${JSON.stringify(text)} is refused`, async t => {
    try {
      parseTypeFilter(text)
      t.fail('was accepted')
    } catch (error) {
      t.ok(isServiceError(error, code), String(error))
      t.match(error, { message })
      t.match(error, { message: /^_typeFilter/ })
    }
  })
}

t.test('values never get into the SQL', async t => {
  const values = ["x' OR true --", '$$', '\\', '{}', '"', "E'\\x'"]
  const filters = values.flatMap(value => ['Patient?identifier=', 'Patient?gender=', 'DocumentReference?type='].map(search => parseTypeFilter(search + encodeURIComponent(value))))
  const { conditions, settings } = toFilterSql(filters, 'urn:mrn')
  const text = Object.values(conditions).join()
  for (const value of values) t.notMatch(text, value === '{}' ? '{"value":"{}"}' : ` ${value} `)
  t.notMatch(text, 'OR true')
  t.match(text, "current_setting('fhir_bulk_export.filter_1')")
  t.equal(new Set(text.match(/filter_\d+/g)).size, Object.keys(settings).length)
})

t.test('every parameter says what it is', async t => {
  t.same(Object.keys(searchParameters), exportedTypes)
  for (const parameter of Object.values(searchParameters).flat()) t.match(parameter, { name: /^[a-z_]\w+$/, type: /^(token|date|reference)$/, documentation: /^[A-Z]/ })
})

t.test('ten times as many values are the same SQL: one list, one setting', async t => {
  for (const search of ['Patient?_id', 'Patient?gender', 'Patient?identifier', 'DocumentReference?type', 'Consent?status', 'Provenance?target']) {
    const toSql = (n: number) => toFilterSql([parseTypeFilter(`${search}=${Array.from({ length: n }, (_, i) => `v${i}`).join()}`)], 'urn:mrn')
    const [few, many] = [toSql(50), toSql(500)]
    t.same(many.conditions, few.conditions, search)
    t.same(Object.keys(many.settings), Object.keys(few.settings), search)
    t.ok(Object.values(many.settings).join('').length < 500 * 60, search)
  }
})

t.test('what a filter may have is limited, duplicates apart', async t => {
  const list = (n: number, toText: (i: number) => string, separator = ',') => Array.from({ length: n }, (_, i) => toText(i)).join(separator)
  t.match(parseTypeFilter(`Patient?_id=${list(10_000, () => 'a')}`), { parameters: [{ values: ['a'] }] })
  t.equal(parseTypeFilter(`Patient?${list(10_000, () => '_id=a', '&')}`).parameters.length, 1)
  for (const [text, message] of [
    [`Patient?_id=${list(501, (i) => `a${i}`)}`, /^_typeFilter has 501 values: at most 500 are accepted$/],
    [`Patient?${list(101, (i) => `_id=a${i}`, '&')}`, /^_typeFilter has 101 conditions: at most 100 are accepted$/],
  ] as const) t.throws(() => parseTypeFilter(text), { code: 'INVALID_PARAMETER', message })
  t.throws(() => { assertFewConditions([parseTypeFilter(`Patient?birthdate=${list(101, (i) => `${1900 + i}`)}`)]) }, { message: /has 101 conditions/ }, 'each value of a date is one')
  const filter = parseTypeFilter(`Patient?_id=${list(300, (i) => `a${i}`)}`)
  t.throws(() => { assertFewConditions([filter, filter]) }, { message: /has 600 values/ }, 'of all filters together')
})
