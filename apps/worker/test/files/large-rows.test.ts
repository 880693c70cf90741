import t from 'tap'
import { createLargeRows, releaseLargeRow } from '../../src/files/large-rows.ts'
import { readRows } from '../../src/files/rows.ts'
import { inChunks, toCopyStream } from '../fixtures/copy-stream.ts'

const mebibyte = 2 ** 20

/** Reads rows of so many mebibytes; `pulled` counts the chunks that were asked for, `read` is the rows that came. */
function startReading (memory: SharedArrayBuffer, task: number, ...mebibytes: number[]) {
  const state = { pulled: 0, read: 0 }
  async function * chunks () {
    for await (const chunk of inChunks(toCopyStream(mebibytes.map((size) => [Buffer.alloc(size * mebibyte, 'x')])), () => mebibyte)) {
      state.pulled++
      yield chunk
    }
  }
  return { state, rows: readRows(chunks(), 1, createLargeRows(memory, task)) }
}

async function drain ({ state, rows }: ReturnType<typeof startReading>) {
  for await (const some of rows) while (some.next()) state.read++
  return state.read
}

/** Takes what is there until a row is in the middle. */
async function enter ({ rows }: ReturnType<typeof startReading>, chunks: number) {
  for (let i = 0; i < chunks; i++) (await rows.next()).value?.next()
}

const holderOf = (memory: SharedArrayBuffer) => new Int32Array(memory)[0]

t.test('small rows never wait', async (t) => {
  const memory = new SharedArrayBuffer(4)
  new Int32Array(memory)[0] = 99
  t.equal(await drain(startReading(memory, 1, 2, 3, 1)), 3)
})

t.test('a second large row waits, in the middle, until the first has been dealt with', async (t) => {
  const memory = new SharedArrayBuffer(4)
  const first = startReading(memory, 1, 8)
  await enter(first, 6)
  t.equal(holderOf(memory), 1)
  const second = startReading(memory, 2, 1, 8, 1)
  const reading = drain(second)
  await drain(first)
  t.equal(await reading, 3)
  t.equal(holderOf(memory), 0, 'and gives its turn back')
})

t.test('a large row takes its turn before it takes memory, and one after another keeps it', async (t) => {
  const memory = new SharedArrayBuffer(4)
  new Int32Array(memory)[0] = 7
  const waiting = startReading(memory, 9, 8, 8, 1, 8)
  const reading = drain(waiting)
  releaseLargeRow(memory, 8)
  t.equal(holderOf(memory), 7, 'another task does not give it back')
  t.ok(waiting.state.pulled <= 1)
  releaseLargeRow(memory, 7)
  t.equal(await reading, 4)
  t.equal(holderOf(memory), 0)
})

t.test('a reader that is stopped in a large row gives its turn back', async (t) => {
  const memory = new SharedArrayBuffer(4)
  const stopped = startReading(memory, 1, 8)
  await enter(stopped, 6)
  t.equal(holderOf(memory), 1)
  await stopped.rows.return(undefined)
  t.equal(holderOf(memory), 0)
})
