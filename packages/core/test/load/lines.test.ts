import { appendFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readLines } from '../../src/load/lines.ts'

async function linesOf (path: string) {
  const lines: Array<[number, string]> = []
  for await (const line of readLines(path)) lines.push([line.line, 'text' in line ? line.text.trim() : line.problem])
  return lines
}

t.test('lines keep their numbers: empty ones count, line ends and byte order marks do not matter', async t => {
  const files: Array<[content: string | Buffer, lines: Array<[number, string]>]> = [
    ['', []],
    ['\n\n', []],
    ['a', [[1, 'a']]],
    ['a\nb\n', [[1, 'a'], [2, 'b']]],
    ['a\r\n\r\n  \r\nb', [[1, 'a'], [4, 'b']]],
    ['\uFEFFa\n\uFEFFb', [[1, 'a'], [2, 'b']]],
    [Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a, 0x62]), [[1, 'a'], [2, 'is not UTF-8'], [3, 'b']]],
  ]
  for (const [content, expected] of files) {
    const path = join(t.testdir({ file: content }), 'file')
    t.strictSame(await linesOf(path), expected)
  }
})

t.test('a line may be longer than what is read at once, and a character may be cut there', async t => {
  const long = `x${'ä'.repeat(1_500_000)}`
  const path = join(t.testdir({ file: `a\n${long}\nb` }), 'file')
  t.ok((await linesOf(path))[1]?.[1] === long)
  t.strictSame((await linesOf(path))[2], [3, 'b'])
})

t.test('a line that no row could hold is not kept in memory, and the next has its number', async t => {
  const path = join(t.testdir({}), 'file')
  await writeFile(path, 'a\n')
  await truncate(path, 300 * 1024 * 1024) // zeros, mostly not even on the disk
  await appendFile(path, '\nb\n')
  t.strictSame(await linesOf(path), [[1, 'a'], [2, 'is longer than 256 MB, which no row can hold'], [3, 'b']])
})
