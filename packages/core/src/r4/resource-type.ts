import type { Cursor } from './cursor.ts'

const [quote, comma, backslash] = [0x22, 0x2c, 0x5c]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]

/** The `resourceType` of the object at the cursor, wherever it stands in it. */
export function findResourceType ({ source, at, end }: Cursor): string | undefined {
  let depth = 0
  let isKey = false
  while (at < end) {
    const byte = source[at]!
    if (byte === openBrace || byte === openBracket) {
      depth++
      isKey = byte === openBrace
    } else if (byte === closeBrace || byte === closeBracket) {
      if (--depth === 0) return undefined
      isKey = false
    } else if (byte === comma) {
      isKey = true
    } else if (byte === quote) {
      const start = at + 1
      for (at = start; at < end && source[at] !== quote; at++) if (source[at] === backslash) at++
      if (depth === 1 && isKey && source.toString('latin1', start, at) === 'resourceType') return readName(source, at + 1, end)
      isKey = false
    }
    at++
  }
  return undefined
}

/** `: "Name"` */
function readName (source: Buffer, at: number, end: number): string | undefined {
  const text = source.toString('latin1', at, Math.min(end, at + 80))
  return /^[ \t\r\n]*:[ \t\r\n]*"([A-Za-z]+)"/.exec(text)?.[1]
}
