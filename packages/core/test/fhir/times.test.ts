import t from 'tap'
import { ElementError } from '../../src/fhir/index.ts'
import { endOf, startOf, toDate, toDateTime, toInstant } from '../../src/fhir/times.ts'

const times: Array<[string, string]> = [
  ['2024-01-31T09:30:00Z', '2024-01-31T09:30:00Z'],
  ['2024-01-31T09:30:00.120Z', '2024-01-31T09:30:00.120Z'],
  ['2024-01-31 09:30:00.123456+00', '2024-01-31T09:30:00.123456Z'],
  ['2024-01-31 09:30:00+05:30', '2024-01-31T04:00:00Z'],
  ['2024-01-31 09:30:00-08', '2024-01-31T17:30:00Z'],
  ['2024-12-31T23:59:59.999999999-00:01', '2025-01-01T00:00:59.999999999Z'],
  ['2024-02-28T23:00:00-14:00', '2024-02-29T13:00:00Z'],
  ['2016-12-31T23:59:60Z', '2016-12-31T23:59:60Z'],
  ['2017-01-01T05:29:60.5+05:30', '2016-12-31T23:59:60.5Z'],
  ['0001-01-01 00:00:00+00', '0001-01-01T00:00:00Z'],
  ['0050-06-01T00:00:00+01:00', '0050-05-31T23:00:00Z'],
  ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59Z'],
]

t.test('a time is written in UTC, with the digits it came with', async t => {
  for (const [given, expected] of times) {
    t.equal(toInstant(given), expected, given)
    t.equal(toDateTime(given), expected)
    t.equal(toInstant(expected), expected, 'and then stays so')
  }
})

t.test('a partial date stays as it is written', async t => {
  for (const text of ['2019', '2019-05', '2019-05-31', '2024-02-29', '2000-02-29', '0001']) {
    t.equal(toDateTime(text), text)
    t.equal(toDate(text), text)
  }
})

t.test('what is no date in the calendar is an error', async t => {
  for (const text of [
    '', '19', '2019-5', '2019-13', '2019-00', '2019-02-29', '1900-02-29', '2019-04-31', '2019-05-00', '2019-05-32', '0000', '0000-01-01', '10000-01-01',
    '-2019', '2019-05-', '20190531', '2019/05/31', ' 2019', '2019 ', '２０１９', '0044-03-15 BC', 'infinity', 'today',
  ]) {
    t.throws(() => toDate(text), ElementError, text)
    t.throws(() => toDateTime(text), ElementError, text)
  }
})

t.test('a time without a zone, seconds or a place in the years 0001 to 9999 is an error', async t => {
  for (const text of [
    '2024-01-31T09:30:00', '2024-01-31 09:30:00', '2024-01-31T09:30Z', '2024-01-31T24:00:00Z', '2024-01-31T09:60:00Z', '2024-01-31T09:30:61Z',
    '2024-02-30T00:00:00Z', '2024-02-30T00:00:00+01:00', '2024-01-31T09:30:00.Z', '2024-01-31T09:30:00+15:00', '2024-01-31T09:30:00+01:60',
    '2024-01-31T09:30:00z', '2024-01-31t09:30:00Z', '2024-01-31T09:30:00ZZ', '2024-01-31 09:30:00+00 BC', '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00', '10000-01-01 00:00:00+00', 'infinity', '-infinity', '2024-01-31T09:30:00Z\n', '2024-01-31 09:30:00+00:00:30',
  ]) {
    t.throws(() => toInstant(text), ElementError, text)
    t.throws(() => toDateTime(text), ElementError, text)
  }
  for (const text of ['2024', '2024-01', '2024-01-31']) t.throws(() => toInstant(text), ElementError, text)
})

t.test('a partial date stands for all of its time', async t => {
  t.equal(new Date(startOf('2019')).toISOString(), '2019-01-01T00:00:00.000Z')
  t.equal(new Date(endOf('2019')).toISOString(), '2019-12-31T23:59:59.999Z')
  t.equal(new Date(endOf('2019-02')).toISOString(), '2019-02-28T23:59:59.999Z')
  t.equal(new Date(endOf('2019-12-31')).toISOString(), '2019-12-31T23:59:59.999Z')
  t.equal(new Date(endOf('2019-12-31T10:00:00.5Z')).toISOString(), '2019-12-31T10:00:00.500Z')
})
