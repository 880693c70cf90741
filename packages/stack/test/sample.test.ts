import t from 'tap'
import { sample, times } from '../src/sample.ts'

const cases = Array.from({ length: 40 }, (_, i) => i)

t.test('without a seed everything runs', async t => {
  t.intercept(process, 'env', { value: {} })
  t.same(sample('a test', 3, cases), cases)
  t.equal(times({ all: 150, some: 10 }), 150)
})

t.test('a seed gives the same sample again, of that size and in order', async t => {
  const some = sample('a test', 3, cases, '7')
  t.equal(some.length, 3)
  t.same(some, [...some].sort((a, b) => a - b))
  t.same(sample('a test', 3, cases, '7'), some)
  t.equal(times({ all: 150, some: 10 }, '7'), 10)
  t.same(sample('a test', 50, cases, '7'), cases, 'more than there are')
})

t.test('other seeds and other tests take others, and every case has its turn', async t => {
  t.notSame(sample('a test', 10, cases, '7'), sample('a test', 10, cases, '8'))
  t.notSame(sample('a test', 10, cases, '7'), sample('another', 10, cases, '7'))
  t.equal(new Set(Array.from({ length: 200 }, (_, seed) => sample('a test', 3, cases, String(seed))).flat()).size, 40)
})
