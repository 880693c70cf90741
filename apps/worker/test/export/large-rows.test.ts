import t from 'tap'
import { createLargeRows, releaseLargeRow } from '../../src/export/large-rows.ts'

const mebibyte = 2 ** 20

/** A row of that many bytes, in chunks; `pulled` counts how many were asked for. */
function rowOf (mebibytes: number) {
  const state = { pulled: 0 }
  async function * chunks () {
    for (let i = 0; i < mebibytes; i++) {
      state.pulled++
      yield Buffer.alloc(mebibyte, i === mebibytes - 1 ? 'x\n' : 'x')
    }
  }
  return { state, chunks: chunks() }
}

async function drain (chunks: AsyncIterable<Buffer>) {
  let bytes = 0
  for await (const chunk of chunks) bytes += chunk.length
  return bytes
}

t.test('small rows never wait', async (t) => {
  const memory = new SharedArrayBuffer(4)
  new Int32Array(memory)[0] = 99
  t.equal(await drain(createLargeRows(memory, 1).guard(rowOf(2).chunks)), 2 * mebibyte)
})

t.test('a second large row waits, in the middle, until the first has been dealt with', async (t) => {
  const memory = new SharedArrayBuffer(4)
  const first = createLargeRows(memory, 1).guard(rowOf(8).chunks)
  for (let i = 0; i < 6; i++) await first.next()

  const row = rowOf(8)
  const second = drain(createLargeRows(memory, 2).guard(row.chunks))
  await drain(first)
  t.equal(await second, 8 * mebibyte)
  t.equal(new Int32Array(memory)[0], 0, 'and gives its turn back')
})

t.test('a reader that is stopped in a large row gives its turn back', async (t) => {
  const memory = new SharedArrayBuffer(4)
  const stopped = createLargeRows(memory, 1).guard(rowOf(8).chunks)
  for (let i = 0; i < 6; i++) await stopped.next()
  t.equal(new Int32Array(memory)[0], 1)
  await stopped.return(undefined)
  t.equal(new Int32Array(memory)[0], 0)
})

t.test('the turn of a reader that was ended by force is given back by its task, and no other', async (t) => {
  const memory = new SharedArrayBuffer(4)
  new Int32Array(memory)[0] = 7
  releaseLargeRow(memory, 8)
  t.equal(new Int32Array(memory)[0], 7)
  const waiting = drain(createLargeRows(memory, 9).guard(rowOf(8).chunks))
  releaseLargeRow(memory, 7)
  t.equal(await waiting, 8 * mebibyte)
})
