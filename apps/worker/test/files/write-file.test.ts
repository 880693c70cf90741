import t from 'tap'
import { splitFiles, type Lines } from '../../src/files/write-file.ts'

const piece = (text: string): Lines => ({ bytes: Buffer.from(text), count: text.split('\n').length - 1 })

async function split (pieces: Lines[], maxBytes: number) {
  const files: string[] = []
  await splitFiles((async function * () { yield * pieces })(), maxBytes, async (file) => {
    let text = ''
    for await (const { bytes } of file) text += bytes.toString()
    files.push(text)
  })
  return files
}

t.test('a stream is cut into files in order, none above the limit but a single piece that is', async (t) => {
  const pieces = ['a\n', 'b\n', 'c\n', 'long line\n', 'd\n'].map(piece)
  t.same(await split(pieces, 4), ['a\nb\n', 'c\n', 'long line\n', 'd\n'])
  t.same(await split(pieces, 1_000), ['a\nb\nc\nlong line\nd\n'])
})

t.test('nothing is written for a stream without lines', async (t) => {
  t.same(await split([], 4), [])
})

t.test('the source is ended when a write fails', async (t) => {
  let isEnded = false
  async function * source () {
    try {
      for (;;) yield piece('a\n')
    } finally {
      isEnded = true
    }
  }
  await t.rejects(splitFiles(source(), 4, async () => { throw new Error('the store is full') }), /the store is full/)
  t.equal(isEnded, true)
})
