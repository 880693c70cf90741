import t from 'tap'
import fc from 'fast-check'
import { findString, findValues, NotJsonError } from '../../src/load/json-spans.ts'

const at = (json: string, path: string) => {
  const bytes = Buffer.from(json)
  return [...findValues(bytes, 0, path === '' ? [] : path.split('.'))].map(({ start, end }) => bytes.toString('utf8', start, end))
}

t.test('values are found by path, as they are written, through lists', async t => {
  const json = ' {"a" : [ {"b":1.0,"c":"x"} , {"b":[2, "]}\\"", {"d":null}]}, 3, []], "\\u0061": {"b": -1e2 } , "e":{} , "b":7}\n'
  t.strictSame(at(json, 'a.b'), ['1.0', '2', '"]}\\""', '{"d":null}', '-1e2'])
  t.strictSame(at(json, 'a.b.d'), ['null'])
  t.strictSame(at(json, 'e'), ['{}'])
  t.strictSame(at(json, 'e.a'), [])
  t.strictSame(at(json, 'x'), [])
  t.strictSame(at('"x"', 'a'), [])
  t.strictSame(at('[1, true ,"\u00e4"]', ''), ['1', 'true', '"\u00e4"'])
})

t.test('a string is found as what it says', async t => {
  t.equal(findString(Buffer.from('{"a":["\\u00e4\\"\u00e4"]}'), 0, ['a']), 'ä"ä')
  t.equal(findString(Buffer.from('{"a":1}'), 0, ['a']), undefined)
  t.equal(findString(Buffer.from('{"a":{}}'), 0, ['a', 'b']), undefined)
})

t.test('what JSON.parse finds is found', async t => {
  const key = fc.constantFrom('a', 'b', 'ä"', '')
  const { value } = fc.letrec(tie => ({
    value: fc.oneof({ maxDepth: 4 }, fc.constantFrom(null, true, 1.5, 'x', '\\"', '}]'), fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3 })),
  }))
  const look = (value: unknown, [name, ...rest]: string[]): unknown[] => {
    if (Array.isArray(value)) return value.flatMap(item => look(item, name === undefined ? [] : [name, ...rest]))
    if (name === undefined) return [value]
    return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? look((value as Record<string, unknown>)[name], rest)
      : []
  }
  fc.assert(fc.property(value, fc.array(key, { maxLength: 3 }), fc.constantFrom(undefined, 2), function isFound (given, path, indent) {
    const bytes = Buffer.from(JSON.stringify(given, null, indent))
    const found = [...findValues(bytes, 0, path)].map(({ start, end }) => JSON.parse(bytes.toString('utf8', start, end)))
    t.strictSame(found, look(JSON.parse(bytes.toString()), path))
  }), { numRuns: 300 })
})

t.test('what is no JSON ends with an error, and never without an end', async t => {
  for (const json of ['{', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{"a" 1}', '{a:1}', '{"a":[', '{"a":[1,', '{"a":[1 2]}',
    '{"a":"x', '{"a":"\\', '{"a":]}', '[', '[{]', '{"\\x":1}']) {
    t.throws(() => at(json, 'a.b'), { name: 'NotJsonError' }, json)
  }
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '1', ' ') }), function ends (json) {
    try {
      at(json, 'a.b')
    } catch (error) {
      if (!(error instanceof NotJsonError)) throw error
    }
  }))
})
