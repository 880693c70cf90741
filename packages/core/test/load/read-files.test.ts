import { appendFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { readTexts } from '../../src/load/read-files.ts'

async function textsOf (path: string) {
  const texts: Array<[number, string]> = []
  for await (const text of readTexts(path, () => {})) texts.push([text.line, 'bytes' in text ? text.bytes.toString().trim() : text.problem])
  return texts
}

t.test('lines keep their numbers: empty ones count, line ends and byte order marks do not matter', async t => {
  const files: Array<[content: string | Buffer, texts: Array<[number, string]>]> = [
    ['', []],
    ['\n\n', []],
    ['a', [[1, 'a']]],
    ['a\nb\n', [[1, 'a'], [2, 'b']]],
    ['a\r\n\r\n  \r\nb', [[1, 'a'], [4, 'b']]],
    ['\uFEFFa\n\uFEFFb', [[1, 'a'], [2, 'b']]],
    [Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a, 0x62]), [[1, 'a'], [2, 'is not UTF-8'], [3, 'b']]],
  ]
  for (const [content, expected] of files) {
    const folder = t.testdir({ 'plain.ndjson': content, 'packed.ndjson.gz': gzipSync(content) })
    t.strictSame(await textsOf(join(folder, 'plain.ndjson')), expected)
    t.strictSame(await textsOf(join(folder, 'packed.ndjson.gz')), expected)
  }
})

t.test('a .json is one text', async t => {
  const folder = t.testdir({ 'a.json': '\uFEFF\n{\n}\n', 'empty.json': ' \n' })
  t.strictSame(await textsOf(join(folder, 'a.json')), [[1, '{\n}']])
  t.strictSame(await textsOf(join(folder, 'empty.json')), [])
})

t.test('a line may be longer than what is read at once, and a character may be cut there', async t => {
  const long = `x${'ä'.repeat(1_500_000)}`
  const path = join(t.testdir({ file: `a\n${long}\nb` }), 'file')
  t.ok((await textsOf(path))[1]?.[1] === long)
  t.strictSame((await textsOf(path))[2], [3, 'b'])
})

t.test('a line that no row could hold is not kept in memory, and the next has its number', async t => {
  const path = join(t.testdir({}), 'file')
  await writeFile(path, 'a\n')
  await truncate(path, 300 * 1024 * 1024) // zeros, mostly not even on the disk
  await appendFile(path, '\nb\n')
  t.strictSame(await textsOf(path), [[1, 'a'], [2, 'is longer than 256 MB, which no row can hold'], [3, 'b']])
})

t.test('bytes are told as they are read from the disk', async t => {
  const packed = gzipSync('a\n'.repeat(100_000))
  const path = join(t.testdir({ 'a.ndjson.gz': packed }), 'a.ndjson.gz')
  let bytes = 0
  const lines: number[] = []
  for await (const { line } of readTexts(path, read => { bytes += read })) lines.push(line)
  t.strictSame([lines.length, bytes], [100_000, packed.length])
})
