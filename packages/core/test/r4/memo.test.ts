import fc from 'fast-check'
import t from 'tap'
import { Cursor, Input } from '../../src/r4/cursor.ts'
import { Memo } from '../../src/r4/memo.ts'

const runs = Number(process.env.FUZZ_RUNS ?? 2_000)

function read (cursor: Cursor, bytes: Buffer): Cursor {
  cursor.read(new Input(bytes))
  cursor.to = 0
  cursor.reserve(bytes.length)
  return cursor
}

t.test('a value is found again, whatever others there are, and no other one for it', async () => {
  const value = fc.array(fc.stringMatching(/^[a-c]{0,4}$/), { minLength: 1, maxLength: 4 })
    .map((list) => Buffer.from(JSON.stringify([...list, 'long enough to be kept'])))
  fc.assert(fc.property(fc.array(value, { minLength: 1, maxLength: 40 }), fc.array(value), (kept, others) => {
    const memo = new Memo()
    const cursor = new Cursor()
    const known = new Set<string>()
    for (const bytes of [...kept, ...others, ...kept]) {
      const found = memo.copy(read(cursor, bytes))
      if (found !== known.has(bytes.toString())) throw new Error(`${bytes.toString()} was ${found ? 'found' : 'not found'}`)
      if (!found) {
        cursor.at = bytes.length
        cursor.put(bytes)
        memo.keep(cursor, 0, 0)
      }
      if (cursor.at !== bytes.length || !cursor.target.subarray(0, cursor.to).equals(bytes)) throw new Error(bytes.toString())
      known.add(bytes.toString())
    }
  }), { numRuns: runs })
})

t.test('values that seldom come again are let pass, and looked at again later', async (t) => {
  const memo = new Memo()
  const cursor = new Cursor()
  const meet = (n: number) => {
    const bytes = Buffer.from(`{"value":${n},"unit":"of something"}`)
    if (memo.copy(read(cursor, bytes))) return true
    cursor.at = bytes.length
    memo.keep(cursor, 0, 0)
    return false
  }
  for (let n = 0; n < 5_000; n++) meet(n)
  t.notOk(meet(1) || meet(1))
  for (let n = 0; n < 200_000; n++) meet(7)
  t.ok(meet(7))
})
