import t from 'tap'
import { checkResource } from '../../src/r4/index.ts'

/** An extension can hold every datatype. */
function check (type: string, json: string) {
  const name = `value${type.charAt(0).toUpperCase()}${type.slice(1)}`
  return checkResource(
    Buffer.from(`{"resourceType":"Basic","code":{"text":"x"},"extension":[{"url":"http://example.org/x","${name}":${json}}]}`)
  )
}

/** For the name of an assertion. */
function show (json: string): string {
  return encodeURI(json.slice(0, 40).toWellFormed())
}

const good: Record<string, string[]> = {
  base64Binary: ['"SGVsbG8="', '"SGVs\\nbG8="', '" SGVs bG8= "', '"AA=="', '"ABCD"', '"A B C D"', '"===="', '"QQ==QQ=="', '"a-b_"',
    '"\\u0041\\/+="'],
  boolean: ['true', 'false'],
  canonical: ['"http://hl7.org/fhir/ValueSet/x|4.0.1"', '"#local"'],
  code: ['"a"', '"a b"', '"a\u00a0b"', '"\u4e2d"'],
  date: ['"2024"', '"2024-02"', '"2024-02-29"', '"0001-01-01"', '"9999-12-31"', '"2000-02-29"'],
  dateTime: ['"2024"', '"2024-12"', '"2024-12-31"', '"2024-12-31T23:59:60Z"', '"2021-03-05T23:30:00-05:00"', '"2021-03-05T00:15:00+14:00"',
    '"2021-12-31T23:59:59.9999999+13:45"'],
  decimal: ['0', '-0', '10.00', '1e-22', '1.0E+245', '-0.10', '12345678901234567890.12345678901234567890', '9007199254740993'],
  id: ['"a"', '"A-b.9"', '"A\\u002db"', `"${'x'.repeat(64)}"`],
  instant: ['"2024-01-31T09:30:00Z"', '"2016-12-31T23:59:60.5Z"', '"2021-03-05T10:11:12.1234567-00:00"'],
  integer: ['0', '-2147483648', '2147483647'],
  markdown: ['"# x\\n\\ty"', '"\\u2028"'],
  oid: ['"urn:oid:1.2.3"', '"urn:oid:0.0"'],
  positiveInt: ['1', '2147483647'],
  string: ['"x"', '" "', '"\u00a0"', '"\u2028"', '"\ufeff"', '"\\"\\\\\\/"', '"\\ud83d\\ude00"', '"\ud83d\ude00"', '"\\t\\r\\n"',
    '"\\u00e4"'],
  time: ['"00:00:00"', '"23:59:60.123"'],
  unsignedInt: ['0', '2147483647'],
  uri: ['"urn:x"', '"Patient/1"', '"http://example.org/\u00e4"', '"%20"'],
  url: ['"https://example.org/x?y=z#a"'],
  uuid: ['"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"'],
}

t.test('every value that R4 has of a primitive datatype comes out as it is', async (t) => {
  for (const [type, values] of Object.entries(good)) {
    for (const json of values) {
      const checked = check(type, json)
      t.ok(checked.isValid && checked.json.includes(`:${json}}]`), `${type} ${show(json)}`)
    }
  }
})

const bad: Record<string, string[]> = {
  base64Binary: ['"SGVsbG8"', '"AA"', '"=="', '"a*b_"', '"\u00e4AAA"', '" "', '""'],
  boolean: ['"true"', '1', 'tru', 'TRUE', 'null'],
  canonical: ['"a b"', '""'],
  code: ['" a"', '"a "', '"a  b"', '"a\\n\\nb"'],
  date: ['"24"', '"2024-13"', '"2024-00"', '"2023-02-29"', '"1900-02-29"', '"2024-04-31"', '"0000"', '"2024-1-1"', '"2024-01-31T00:00:00Z"',
    '20240131'],
  dateTime: ['"2024-01-31T09:30:00"', '"2024-01-31T09:30Z"', '"2024-01-31 09:30:00Z"', '"2024-01-31T24:00:00Z"',
    '"2024-01-31T09:30:00+14:01"', '"2024-01-31T09:30:00.Z"', '"2024-02-30T00:00:00Z"'],
  decimal: ['"1"', '.5', '1.', '+1', '01', '0x1', 'NaN', '1e', '--1'],
  id: ['"a b"', '"a_b"', '"a\\u005fb"', `"${'x'.repeat(65)}"`, '""', '"\u00e4"'],
  instant: ['"2024-01-31"', '"2024-01-31T09:30:00"'],
  integer: ['-2147483649', '2147483648', '1.0', '1e3', '"1"', '01', '-0'],
  markdown: ['""', '1'],
  oid: ['"1.2.3"', '"urn:oid:3.1"', '"urn:oid:1.02"'],
  positiveInt: ['0', '-1'],
  string: ['""', '1', '"\\u0000"', '"\\b"', '"\\f"', '"\\u000b"', '"\\ud800"', '"\\ud83dx"', '"\\x"', '"\\u12"', '"a', '"\t"',
    `"${'x'.repeat(1024 * 1024 + 1)}"`, '{}', '[]', '["a"]'],
  time: ['"24:00:00"', '"12:00"', '"12:00:00Z"'],
  unsignedInt: ['-1', '2147483648'],
  uri: ['"a b"', '"a\\tb"', '"\\u0020"', '""'],
  url: ['"https://example.org/ "'],
  uuid: ['"c757873d-ec9a-4326-a141-556f43239520"', '"urn:uuid:C757873D-EC9A-4326-A141-556F43239520"'],
}

t.test('what is no value of a primitive datatype is refused, at its element', async (t) => {
  for (const [type, values] of Object.entries(bad)) {
    for (const json of values) {
      const checked = check(type, json)
      t.match(checked, { isValid: false, path: /^extension\[0\]/ }, `${type} ${show(json)}`)
    }
  }
})

t.test('a long string counts its characters, not its bytes', async (t) => {
  t.ok(check('string', `"${'\u00e4'.repeat(1024 * 1024)}"`).isValid)
})

/** R4's own patterns, without what is seen by the byte. */
const patterns: Record<string, RegExp> = {
  date: /^([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1]))?)?$/,
  dateTime: /^([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1])(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00)))?)?)?$/,
  instant: /^([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)-(0[1-9]|1[0-2])-(0[1-9]|[1-2][0-9]|3[0-1])T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))$/,
  decimal: /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/,
  positiveInt: /^[1-9][0-9]*$/,
}

t.test('values that differ from a good one by a character are judged by the patterns of R4', async (t) => {
  const seeds = ['2024-01-28', '2024-02-29', '1999-12-31', '2024-01-28T09:30:00.123Z', '2024-01-28T23:59:59+13:59',
    '2024-01-28T00:00:00-00:00', '2019-10-09T12:00:00Z', '0.85', '12.50', '100', '999999999', '-0.5', '7']
  let judged = 0
  for (const [type, pattern] of Object.entries(patterns)) {
    const isNumber = type === 'decimal' || type === 'positiveInt'
    for (const seed of seeds.filter((seed) => isNumber === (seed.length < 10))) {
      for (let at = 0; at <= seed.length; at++) {
        for (const put of ['', '0', '1', '2', '3', '9', '-', ':', '.', 'T', 'Z', '+', ' ', 'e']) {
          for (const text of [seed.slice(0, at) + put + seed.slice(at), seed.slice(0, at) + put + seed.slice(at + 1)]) {
            if (/-(0[469]|11)-31|-02-3|-02-29/.test(text) &&
              !text.startsWith('2024-02-29')) continue // days of months are not the patterns'
            if (isNumber && (Number(text) > 2_147_483_647 || text.includes(' '))) continue // nor is the range; blanks are none of the value
            const expected = pattern.test(text)
            if (check(type, isNumber ? text : `"${text}"`).isValid !== expected) {
              t.fail(`${type} ${text} ${expected ? 'is' : 'is not'} a value`)
            }
            judged++
          }
        }
      }
    }
  }
  t.ok(judged > 10_000)
})
