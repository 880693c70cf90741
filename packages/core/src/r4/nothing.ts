import { isBlank, type Cursor } from './cursor.ts'

/* What JSON writes where there is nothing. */

const quote = 0x22
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]

export function isNull ({ source, at }: Cursor): boolean {
  return source[at] === 0x6e && source[at + 1] === 0x75 && source[at + 2] === 0x6c && source[at + 3] === 0x6c
}

const nullText = Buffer.from('null')

export function copyNull (cursor: Cursor): void {
  cursor.put(nullText)
  cursor.at += 4
}

/** Passes over null, "", [] and {}; says whether it did. */
export function skipEmpty (cursor: Cursor): boolean {
  const { source, at, end } = cursor
  const byte = source[at]
  if (isNull(cursor)) {
    cursor.at += 4
    return true
  }
  const closing = byte === quote ? quote : byte === openBracket ? closeBracket : byte === openBrace ? closeBrace : -1
  let next = at + 1
  if (byte !== quote) while (next < end && isBlank(source[next]!)) next++
  if (closing === -1 || source[next] !== closing) return false
  cursor.at = next + 1
  return true
}
