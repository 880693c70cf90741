import t from 'tap'
import { findMatch, selectRange } from '../../src/http/conditions.ts'

const etag = '"abc"'

t.test('If-None-Match', async (t) => {
  for (const [header, expected] of [
    [undefined, false],
    ['"abc"', true],
    ['W/"abc"', true],
    ['"x", "abc"', true],
    ['*', true],
    ['"x"', false],
    ['abc', false],
    ['', false],
  ] as const) {
    t.equal(findMatch(header === undefined ? {} : { 'if-none-match': header }, etag), expected ? etag : undefined, String(header))
  }
})

t.test('Range, of a file of 10 bytes', async (t) => {
  for (const [range, expected] of [
    [undefined, undefined],
    ['bytes=0-0', { start: 0, end: 1 }],
    ['bytes=2-5', { start: 2, end: 6 }],
    ['bytes=2-', { start: 2, end: 10 }],
    ['bytes=2-100', { start: 2, end: 10 }],
    ['bytes=-3', { start: 7, end: 10 }],
    ['bytes=-100', { start: 0, end: 10 }],
    ['Bytes= 0-1 ', { start: 0, end: 2 }],
    ['bytes=0-99999999999999999999', { start: 0, end: 10 }],
    ['bytes=9-9', { start: 9, end: 10 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=10-20', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=99999999999999999999-', 'unsatisfiable'],
    ['bytes=5-2', undefined],
    ['bytes=-', undefined],
    ['bytes=', undefined],
    ['bytes=a-b', undefined],
    ['bytes=0x1-2', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=0-1, 3-4', undefined],
    ['items=0-1', undefined],
    ['0-1', undefined],
  ] as const) {
    t.strictSame(selectRange(range === undefined ? {} : { range }, { etag, size: 10 }), expected, String(range))
  }
})

t.test('If-Range: the range of this version or the whole of another', async (t) => {
  for (const [ifRange, expected] of [
    ['"abc"', { start: 2, end: 10 }],
    ['"x"', undefined],
    ['W/"abc"', undefined],
    ['Sun, 22 Feb 2026 15:30:00 GMT', undefined],
  ] as const) {
    t.strictSame(selectRange({ range: 'bytes=2-', 'if-range': ifRange }, { etag, size: 10 }), expected, ifRange)
  }
})
