/*
 * Values that can be told from their bytes alone, as most are. What is not plain may be good all the same: a pattern decides
 * (primitives.ts).
 */

const [dash, colon, dot, letterT, letterZ] = [0x2d, 0x3a, 0x2e, 0x54, 0x5a]

/** Two digits as a number; -1 for anything else. */
function digits (source: Buffer, at: number): number {
  const [tens, ones] = [source[at]! - 0x30, source[at + 1]! - 0x30]
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : -1
}

function isUpTo (number: number, most: number): boolean {
  return number >= 0 && number <= most
}

/** `2024-01-28`, of a day that every month has. */
function isPlainDay (source: Buffer, at: number): boolean {
  const century = digits(source, at)
  return century > 0 && digits(source, at + 2) >= 0 &&
    source[at + 4] === dash && isUpTo(digits(source, at + 5) - 1, 11) &&
    source[at + 7] === dash && isUpTo(digits(source, at + 8) - 1, 27)
}

export function isPlainDate (source: Buffer, start: number, length: number): boolean {
  return length === 10 && isPlainDay(source, start)
}

/** `2024-01-28T09:30:00.123Z`, or with `+01:00` in place of Z. */
export function isPlainTime (source: Buffer, start: number, length: number): boolean {
  if (length < 20 || !isPlainDay(source, start)) return false
  if (source[start + 10] !== letterT || !isUpTo(digits(source, start + 11), 23)) return false
  if (source[start + 13] !== colon || !isUpTo(digits(source, start + 14), 59)) return false
  if (source[start + 16] !== colon || !isUpTo(digits(source, start + 17), 59)) return false
  const end = start + length
  let at = start + 19
  if (source[at] === dot) {
    at++
    const fraction = at
    while (at < end && isDigit(source[at]!)) at++
    if (at === fraction) return false
  }
  if (source[at] === letterZ) return at + 1 === end
  const isZone = (source[at] === 0x2b || source[at] === dash) && source[at + 3] === colon && at + 6 === end
  return isZone && isUpTo(digits(source, at + 1), 13) && isUpTo(digits(source, at + 4), 59)
}

export function isPlainDateOrTime (source: Buffer, start: number, length: number): boolean {
  return isPlainDate(source, start, length) || isPlainTime(source, start, length)
}

export function isDigit (byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** `0.85`, `12.50`: digits, a point at `point`, digits. */
export function isPlainDecimal (source: Buffer, start: number, point: number, end: number): boolean {
  if (point === start || point + 1 >= end || source[point] !== dot || (source[start] === 0x30 && point > start + 1)) return false
  for (let at = point + 1; at < end; at++) if (!isDigit(source[at]!)) return false
  return true
}
