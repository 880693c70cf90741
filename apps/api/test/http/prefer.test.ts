import t from 'tap'
import { parsePrefer } from '../../src/http/prefer.ts'

t.test('preferences and their values, whatever stands beside them', async (t) => {
  for (const [header, preferences] of [
    [undefined, {}],
    ['', {}],
    [' , ,', {}],
    ['respond-async', { 'respond-async': '' }],
    ['Respond-Async, handling=lenient', { 'respond-async': '', handling: 'lenient' }],
    ['respond-async;foo=bar,wait=10', { 'respond-async': '', wait: '10' }],
    ['handling = lenient', { handling: 'lenient' }],
    ['handling="lenient"', { handling: 'lenient' }],
    ['handling="a \\"b\\", c"; x="y,z", respond-async', { handling: 'a "b", c', 'respond-async': '' }],
    ['handling=strict, handling=lenient', { handling: 'strict' }],
    [['respond-async', 'separate-export-status'], { 'respond-async': '', 'separate-export-status': '' }],
    ['x-respond-async', { 'x-respond-async': '' }],
    ['foo="respond-async"', { foo: 'respond-async' }],
    ['foo="x, respond-async', { foo: '"x, respond-async' }],
    ['foo="x, respond-async"', { foo: 'x, respond-async' }],
    ['foo=a=b', { foo: 'a=b' }],
  ] as const) {
    t.strictSame(Object.fromEntries(parsePrefer(typeof header === 'object' ? [...header] : header)), preferences, String(header))
  }
})
