import t from 'tap'
import { TokenBuckets } from '../../src/limits/token-buckets.ts'

function setUp () {
  let now = 1_000_000
  const buckets = new TokenBuckets({}, () => now)
  const ask = (key = 'a') => {
    let answer: { current: number, ttl: number } | undefined
    buckets.incr(key, (_error, result) => { answer = result }, 10_000, 10)
    return answer ?? { current: NaN, ttl: NaN }
  }
  return { ask, pass: (ms: number) => { now += ms } }
}

t.test('ten at once, then one a second', async (t) => {
  const { ask, pass } = setUp()
  for (let n = 1; n <= 10; n++) t.equal(ask().current, n)
  t.strictSame(ask(), { current: 11, ttl: 1_000 })
  pass(999)
  t.strictSame(ask(), { current: 11, ttl: 1 })
  pass(1)
  t.equal(ask().current, 10)
  t.equal(ask().current, 11)
})

t.test('refused requests do not make the wait longer', async (t) => {
  const { ask, pass } = setUp()
  for (let n = 0; n < 1_000; n++) ask()
  t.equal(ask().ttl, 1_000)
  pass(1_000)
  t.equal(ask().current, 10)
})

t.test('one a second goes on for ever, and a pause brings the burst back', async (t) => {
  const { ask, pass } = setUp()
  for (let n = 0; n < 100; n++) {
    t.equal(ask().current, 1)
    pass(1_000)
  }
  for (let n = 1; n <= 10; n++) ask()
  t.equal(ask().current, 11)
  pass(60_000)
  for (let n = 1; n <= 10; n++) t.equal(ask().current, n)
})

t.test('keys do not hold each other back, and no number of them fills memory', async (t) => {
  const { ask } = setUp()
  for (let n = 0; n < 11; n++) ask('a')
  t.equal(ask('b').current, 1)
  for (let n = 0; n < 60_000; n++) ask(`key ${n}`)
  t.equal(ask('a').current, 1, 'forgotten')
})
