import t from 'tap'
import { isServiceError } from '../../src/errors.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { parseTypeFilter, splitTypeFilters, toFilterSql, toSearchParameters } from '../../src/filters/index.ts'
import { resourceTypes } from '../../src/r4/index.ts'

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
  ['Observation?code=x', 'UNSUPPORTED_PARAMETER', /^_typeFilter does not support Observation.code, only _id, _lastUpdated/],
  ['Lab?code=x', 'UNSUPPORTED_PARAMETER', /^_typeFilter must be a search of a resource type/],
  ['patient?gender=male', 'UNSUPPORTED_PARAMETER', /a resource type of FHIR R4/],
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
  for (const parameter of resourceTypes.flatMap(toSearchParameters)) t.match(parameter, { name: /^[a-z_]\w+$/, type: /^(token|date|reference)$/, documentation: /^[A-Z]/ })
})
