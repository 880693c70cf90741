/** Where a JSON value stands in bytes, from its first one to behind its last one. */
export interface Span { readonly start: number, readonly end: number }

/** Thrown where bytes are no JSON; what was read before is. */
export class NotJsonError extends Error {
  override readonly name = 'NotJsonError'
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]

/**
 * The values that a path leads to, in their order; lists on the way are gone through. Values themselves are not looked into:
 * this finds things in JSON, and does not check it.
 */
export function * findValues (bytes: Buffer, start: number, [name, ...rest]: readonly string[]): Generator<Span> {
  const first = skipBlanks(bytes, start)
  if (bytes[first] === openBracket) {
    for (const item of findItems(bytes, first)) yield * findValues(bytes, item.start, name === undefined ? [] : [name, ...rest])
  } else if (name === undefined) {
    yield { start: first, end: skipValue(bytes, first) }
  } else if (bytes[first] === openBrace) {
    for (const member of findMembers(bytes, first)) if (member.name === name) yield * findValues(bytes, member.start, rest)
  }
}

/** The first string that a path leads to. */
export function findString (bytes: Buffer, start: number, path: readonly string[]): string | undefined {
  const [first] = findValues(bytes, start, path)
  return first !== undefined && bytes[first.start] === quote ? toText(bytes, first.start, first.end) : undefined
}

function * findMembers (bytes: Buffer, start: number): Generator<Span & { name: string }> {
  let at = skipBlanks(bytes, start + 1)
  if (bytes[at] === closeBrace) return
  for (;;) {
    if (bytes[at] !== quote) throw new NotJsonError()
    const nameEnd = skipValue(bytes, at)
    const name = toText(bytes, at, nameEnd)
    at = skipBlanks(bytes, nameEnd)
    if (bytes[at] !== colon) throw new NotJsonError()
    const valueAt = skipBlanks(bytes, at + 1)
    const end = skipValue(bytes, valueAt)
    yield { name, start: valueAt, end }
    at = skipBlanks(bytes, end)
    if (bytes[at] === closeBrace) return
    if (bytes[at] !== comma) throw new NotJsonError()
    at = skipBlanks(bytes, at + 1)
  }
}

function * findItems (bytes: Buffer, start: number): Generator<Span> {
  let at = skipBlanks(bytes, start + 1)
  if (bytes[at] === closeBracket) return
  for (;;) {
    const end = skipValue(bytes, at)
    yield { start: at, end }
    at = skipBlanks(bytes, end)
    if (bytes[at] === closeBracket) return
    if (bytes[at] !== comma) throw new NotJsonError()
    at = skipBlanks(bytes, at + 1)
  }
}

function skipBlanks (bytes: Buffer, start: number): number {
  let at = start
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++
  return at
}

function skipValue (bytes: Buffer, start: number): number {
  let at = start
  let depth = 0
  do {
    const byte = bytes[at]
    if (byte === undefined) throw new NotJsonError()
    if (byte === quote) at = skipString(bytes, at)
    else {
      if (byte === openBrace || byte === openBracket) depth++
      if (byte === closeBrace || byte === closeBracket) depth--
      if (depth < 0) throw new NotJsonError()
      at++
    }
  } while (depth > 0)
  if (bytes[start] === quote || bytes[start] === openBrace || bytes[start] === openBracket) return at
  while (isScalar(bytes[at])) at++
  return at
}

function skipString (bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === backslash) at++
    else if (bytes[at] === quote) return at + 1
  }
  throw new NotJsonError()
}

function isScalar (byte: number | undefined): boolean {
  return byte !== undefined && byte > 0x20 && byte !== comma && byte !== closeBrace && byte !== closeBracket
}

function toText (bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start + 1, end - 1)
  if (!text.includes('\\')) return text
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    throw new NotJsonError()
  }
}
