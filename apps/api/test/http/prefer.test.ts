import t from 'tap'
import { parsePrefer } from '../../src/http/prefer.ts'

t.test('the names of preferences, whatever stands beside them', async (t) => {
  for (const [header, names] of [
    [undefined, []],
    ['respond-async', ['respond-async']],
    ['Respond-Async, handling=lenient', ['respond-async', 'handling']],
    ['respond-async;foo=bar,wait=10', ['respond-async', 'wait']],
    ['handling = lenient', ['handling']],
    [['respond-async', 'separate-export-status'], ['respond-async', 'separate-export-status']],
    ['x-respond-async', ['x-respond-async']],
    ['foo="respond-async"', ['foo']],
  ] as const) {
    const found = parsePrefer(typeof header === 'object' ? [...header] : header)
    found.delete('')
    t.strictSame([...found], names, String(header))
  }
})
