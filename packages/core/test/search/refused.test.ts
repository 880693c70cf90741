import t from 'tap'
import { isServiceError, type ErrorCode } from '../../src/errors.ts'
import { parseTypeFilter, searchParametersOf, splitTypeFilters, toFilterSql } from '../../src/search/index.ts'

const refused: Array<[text: string, code: ErrorCode, message: RegExp]> = [
  ['Patient', 'INVALID_PARAMETER', /must be a search: Type\?parameter=value/],
  ['Nothing?x=1', 'UNSUPPORTED_PARAMETER', /a search of a resource type of FHIR R4/],
  ['Patient?', 'INVALID_PARAMETER', /Patient\? must have parameters/],
  ['Patient?gender', 'INVALID_PARAMETER', /Patient\?gender must not be empty/],
  ['Patient?gender=', 'INVALID_PARAMETER', /Patient\?gender must not be empty/],
  ['Patient?gender=male,', 'INVALID_PARAMETER', /Patient\?gender must not be empty/],
  ['Patient?nothing=1', 'UNSUPPORTED_PARAMETER', /does not support Patient\?nothing: R4 has no such search parameter/],
  ['Patient?status=active', 'UNSUPPORTED_PARAMETER', /does not support Patient\?status/],
  ['Patient?<script>=1', 'UNSUPPORTED_PARAMETER', /does not support Patient\?this parameter/],
  ...['_include=Patient:link', '_revinclude=x', '_sort=name', '_count=1', '_elements=id', '_summary=true',
    '_has:Observation:patient:code=1', '_filter=x'].map((search): [string, ErrorCode, RegExp] =>
    [`Patient?${search}`, 'UNSUPPORTED_PARAMETER', /does not support Patient\?_/]),
  ['Observation?subject.name=x', 'UNSUPPORTED_PARAMETER', /chained parameters: Observation\?subject\.name/],
  ['Observation?subject:Patient.name=x', 'UNSUPPORTED_PARAMETER', /is chained/],
  ['Observation?code-value-quantity=x', 'UNSUPPORTED_PARAMETER', /composite and special parameters: Observation\?code-value-quantity/],
  ['Location?near=1|2', 'UNSUPPORTED_PARAMETER', /composite and special parameters: Location\?near/],
  ...['gender:exact=male', 'gender:text=male', 'gender:in=http://x', 'name:not=x', 'birthdate:exact=1980', 'general-practitioner:Nobody=1',
    'gender:=male'].map((search): [string, ErrorCode, RegExp] =>
    [`Patient?${search}`, 'UNSUPPORTED_PARAMETER', /has a modifier that is not supported/]),
  ['Patient?gender:missing=maybe', 'INVALID_PARAMETER', /Patient\?gender:missing must be true or false/],
  ['Patient?active=yes', 'INVALID_PARAMETER', /Patient\?active must be true or false/],
  ['Patient?deceased=yes', 'INVALID_PARAMETER', /Patient\?deceased must be true or false/],
  ['Patient?identifier=a|b|c', 'INVALID_PARAMETER', /Patient\?identifier must be a token/],
  ['Patient?identifier=|', 'INVALID_PARAMETER', /Patient\?identifier must not be empty/],
  ['Patient?_id=a b', 'INVALID_PARAMETER', /Patient\?_id must be an id/],
  ['Patient?gender=%', 'INVALID_PARAMETER', /percent/],
  ['Patient?identifier=a%00', 'INVALID_PARAMETER', /Patient\?identifier must be text/],
  ['Patient?identifier=\ud800', 'INVALID_PARAMETER', /Patient\?identifier must be text/],
  ['Observation?subject=a b', 'INVALID_PARAMETER', /Observation\?subject must be Type\/id/],
  ['Observation?subject=Patient/1/2', 'INVALID_PARAMETER', /Observation\?subject must be Type\/id/],
  ...['1980-13', '1980-00', '1980-02-30', '80', '0000', 'today', '1980-01-01T10', '1980-01-01T25:00Z', 'ge', 'xx1980',
    '2024-01-01T10:00:00.1234567890Z'].map((date): [string, ErrorCode, RegExp] =>
    [`Observation?date=${date}`, 'INVALID_PARAMETER', /Observation\?date must be a date/]),
  ...['x', '1.', '.5', '1e', 'ge', '1|', '1||'.repeat(2), `1${'0'.repeat(100)}`].map((quantity): [string, ErrorCode, RegExp] =>
    [`Observation?value-quantity=${quantity}`, 'INVALID_PARAMETER', /Observation\?value-quantity must be a (?:quantity|number)/]),
]

for (const [text, code, message] of refused) {
  t.test(`${JSON.stringify(text)} is refused`, async (t) => {
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

t.test('a comma parts filters where a type follows, and values elsewhere', async (t) => {
  t.same(splitTypeFilters('Patient?gender=male,female,Observation?code=a,b'), ['Patient?gender=male,female', 'Observation?code=a,b'])
})

t.test('values never get into a statement, which grows with the criteria alone', async (t) => {
  const relations = [{
    type: 'Patient', relation: 'patients', kind: 'table' as const,
    columns: { id: 'text' as const, resource: 'jsonb' as const }
  }]
  const toSql = (filters: string[]) => toFilterSql(filters.map(parseTypeFilter), relations, { mrnSystem: 'urn:mrn', now: new Date() })
  const values = ["x' OR true --", '$$', '\\', '{}', '"', "E'\\x'"]
  const { conditions, settings } = toSql(values.flatMap((value) => ['identifier', 'name', 'name:exact', 'gender',
    'general-practitioner:identifier'].map((name) => `Patient?${name}=${encodeURIComponent(value)}`)))
  const text = Object.values(conditions).join()
  for (const value of ["x' OR true --", '$$', "E'\\x'"]) t.notOk(text.includes(value), value)
  t.equal(new Set(text.match(/filter_\d+/g)).size, Object.keys(settings).length)

  const many = (n: number) => toSql([`Patient?identifier=${Array.from({ length: n }, (_, i) => `v${i}`).join(',')}`])
  t.equal(many(500).conditions.Patient?.length, many(1).conditions.Patient?.length)
  t.equal(Object.keys(many(500).settings).length, 1)
  const bytes = (n: number) => Object.values(many(n).settings).join().length
  t.ok(bytes(500) < 12 * bytes(50), 'what is bound is as long as what was sent, times a constant')
  t.equal(bytes(1), Object.values(toSql(['Patient?identifier=v0,v0,v0']).settings).join().length, 'values that come again count once')
})

t.test('all of R4\'s parameters are taken whose expression is a path, and no others', async (t) => {
  for (const [type, names] of Object.entries({
    Patient: ['_id', '_lastUpdated', '_tag', '_profile', '_security', 'family', 'death-date', 'general-practitioner', 'phone'],
    Observation: ['category', 'code', 'combo-code', 'date', 'value-quantity', 'value-string', 'patient', 'component-value-concept'],
    Condition: ['clinical-status', 'onset-date', 'onset-age', 'recorded-date'],
    MedicationRequest: ['status', 'intent', 'authoredon', 'code', 'medication'],
    Encounter: ['class', 'date', 'length', 'participant', 'location'],
  })) {
    const taken = searchParametersOf(type)
    for (const name of names) t.ok(taken.has(name), `${type}?${name}`)
  }
  t.notOk(searchParametersOf('Observation').has('code-value-quantity'))
})
