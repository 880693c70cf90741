import t from 'tap'
import { parseKickOff } from '../../../src/routes/export/parameters.ts'

const now = new Date('2026-06-15T12:00:00.000Z')
const all = ['Patient', 'DocumentReference', 'Consent', 'Provenance']

t.test('a request without parameters is for every type and from the beginning', async (t) => {
  t.strictSame(parseKickOff({}, now), { types: all, since: null })
})

t.test('types may be separated by commas, repeated or both; each counts once, in the order of the files', async (t) => {
  t.strictSame(parseKickOff({ _type: 'Patient' }, now).types, ['Patient'])
  t.strictSame(parseKickOff({ _type: 'Consent,Patient' }, now).types, ['Patient', 'Consent'])
  t.strictSame(parseKickOff({ _type: ['Consent', 'Patient,Consent'] }, now).types, ['Patient', 'Consent'])
})

t.test('the three spellings of NDJSON are accepted, also with a plus that became a space', async (t) => {
  for (const _outputFormat of ['application/fhir+ndjson', 'application/fhir ndjson', 'application/ndjson', 'ndjson']) {
    t.strictSame(parseKickOff({ _outputFormat }, now).types, all, _outputFormat)
  }
})

t.test('_since is an instant in any zone', async (t) => {
  for (const [value, expected] of [
    ['2026-02-22T15:30:00Z', '2026-02-22T15:30:00.000Z'],
    ['2026-02-22T15:30:00.5Z', '2026-02-22T15:30:00.500Z'],
    ['2026-02-22T15:30:00.123456789Z', '2026-02-22T15:30:00.123Z'],
    ['2026-02-22T15:30:00+02:00', '2026-02-22T13:30:00.000Z'],
    ['2026-02-22T15:30:00 02:00', '2026-02-22T13:30:00.000Z'],
    ['2026-02-22T15:30:00-05:30', '2026-02-22T21:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0004-02-29T00:00:00Z', '0004-02-29T00:00:00.000Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.000Z'],
    ['2026-06-15T12:01:00.000Z', '2026-06-15T12:01:00.000Z'],
  ] as const) {
    t.equal(parseKickOff({ _since: value }, now).since?.toISOString(), expected, value)
  }
})

t.test('bad input is refused, and the parameter is named', async (t) => {
  const cases: Array<[Record<string, string | string[]>, string, RegExp]> = [
    [{ _type: 'Observation' }, 'UNSUPPORTED_PARAMETER', /_type: "Observation"/],
    [{ _type: 'patient' }, 'UNSUPPORTED_PARAMETER', /_type: "patient"/],
    [{ _type: 'Patient, Consent' }, 'UNSUPPORTED_PARAMETER', /_type: " Consent"/],
    [{ _type: `Patient,${'x'.repeat(5_000)}` }, 'UNSUPPORTED_PARAMETER', /_type: "x{64}…"/],
    [{ _type: '' }, 'INVALID_PARAMETER', /_type has an empty value/],
    [{ _type: 'Patient,' }, 'INVALID_PARAMETER', /_type has an empty value/],
    [{ _type: ['Patient', ''] }, 'INVALID_PARAMETER', /_type has an empty value/],
    [{ _since: '' }, 'INVALID_PARAMETER', /_since has an empty value/],
    [{ _since: ['2026-02-22T15:30:00Z', '2026-02-22T15:30:00Z'] }, 'INVALID_PARAMETER', /_since may be given once only/],
    ...['2026', '2026-02-22', '2026-02-22T15:30Z', '2026-02-22T15:30:00', '2026-02-22 15:30:00Z', '2026-02-30T00:00:00Z', '2025-02-29T00:00:00Z',
      '2026-13-01T00:00:00Z', '2026-02-22T24:00:00Z', '2026-02-22T15:30:61Z', '2026-02-22T15:30:00+15:00', '2026-02-22t15:30:00z', '0000-01-01T00:00:00Z',
      '1771771003000', 'yesterday', '2026-02-22T15:30:00Z\n', '%zz'].map((_since): [Record<string, string>, string, RegExp] =>
      [{ _since }, 'INVALID_PARAMETER', /_since must be an instant/]),
    [{ _since: '2026-06-15T12:01:00.001Z' }, 'INVALID_PARAMETER', /_since lies in the future/],
    [{ _outputFormat: '' }, 'INVALID_PARAMETER', /_outputFormat has an empty value/],
    [{ _outputFormat: ['ndjson', 'ndjson'] }, 'INVALID_PARAMETER', /_outputFormat may be given once only/],
    ...['text/csv', 'application/json', 'NDJSON', 'application/fhir+ndjson; charset=utf-8'].map((_outputFormat): [Record<string, string>, string, RegExp] =>
      [{ _outputFormat }, 'INVALID_PARAMETER', /_outputFormat must be one of/]),
    ...['_until', '_elements', '_typeFilter', 'includeAssociatedData', 'patient', 'organizeOutputBy', 'allowPartialManifests']
      .map((name): [Record<string, string>, string, RegExp] => [{ [name]: 'x' }, 'UNSUPPORTED_PARAMETER', new RegExp(`parameter ${name} is not supported`)]),
    [{ _Type: 'Patient' }, 'UNSUPPORTED_PARAMETER', /"_Type"/],
    [{ foo: '1' }, 'UNSUPPORTED_PARAMETER', /"foo"/],
    [{ '': '' }, 'UNSUPPORTED_PARAMETER', /""/],
    [JSON.parse('{"__proto__":"x"}'), 'UNSUPPORTED_PARAMETER', /"__proto__"/],
    [{ constructor: 'x' }, 'UNSUPPORTED_PARAMETER', /"constructor"/],
  ]
  for (const [query, code, message] of cases) {
    t.throws(() => parseKickOff(query, now), { code, message }, JSON.stringify(query).slice(0, 100))
  }
})
