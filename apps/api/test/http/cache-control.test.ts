import t from 'tap'
import { toFreshnessMs } from '../../src/http/cache-control.ts'

t.test('how long an answer may be used again', async (t) => {
  for (const [cacheControl, age, expected] of [
    [undefined, undefined, undefined],
    ['public', undefined, undefined],
    ['max-age=60', undefined, 60_000],
    ['public, Max-Age="60", must-revalidate', undefined, 60_000],
    ['s-maxage=10, max-age=60', '15', 45_000],
    ['max-age=60', '90', 0],
    ['max-age=soon', undefined, 0],
    ['max-age=-1', undefined, 0],
    ['max-age', undefined, 0],
    ['no-store', undefined, 0],
    ['max-age=60, no-cache', undefined, 0],
    ['x="no-store", max-age=60', undefined, 60_000],
  ] as const) {
    t.equal(toFreshnessMs({ 'cache-control': cacheControl, age }), expected, `${cacheControl} ${age}`)
  }
})
