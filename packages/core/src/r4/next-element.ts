import { absent, copied, failed, type Cursor, type Status } from './cursor.ts'
import { Followers } from './followers.ts'
import type { Frame } from './frame.ts'
import { Literal } from './literal.ts'
import type { ElementNode, TypeNode } from './table.ts'

/* What stands between an object's values: names and what is around them. */

const [quote, comma, colon, backslash, openBrace, closeBrace] = [0x22, 0x2c, 0x3a, 0x5c, 0x7b, 0x7d]

/** Places in an object by which its followers are kept: after its brace, after `resourceType`, and after each element. */
export const [atStart, afterType, afterFirst] = [0, 1, 2]

const resourceTypeName = new Literal(Buffer.from('"resourceType"'))
const resourceTypeKey = new Literal(Buffer.from('"resourceType":'))

/**
 * Takes what leads to the next value: the name's element is at `cursor.index`; -1 for `resourceType`. `absent`: there is none, the object
 * is closed.
 */
export function takeName (cursor: Cursor, type: TypeNode, place: number): Status {
  const { source, end, at: before } = cursor
  cursor.skipBlanks()
  const byte = source[cursor.at]
  if (cursor.at < end && byte === closeBrace) {
    cursor.at++
    return absent
  }
  if (place !== atStart) {
    if (cursor.at >= end || byte !== comma) return cursor.fail('must be JSON')
    cursor.at++
    cursor.skipBlanks()
  }
  if (type.isResource && resourceTypeName.take(cursor)) {
    cursor.index = -1
    return skipColon(cursor) ? copied : failed
  }
  if (source[cursor.at] !== quote) return cursor.fail('must be JSON')
  const start = cursor.at + 1
  let at = start
  while (at < end && source[at] !== quote && source[at] !== backslash) at++
  if (at >= end) return cursor.fail('must be JSON')
  cursor.index = source[at] === quote && at > start ? type.names.find(source, start, at) : -1
  cursor.at = at + 1
  if (cursor.index === -1) return cursor.failAt(toSafeName(source, start, at), 'is not an element of its type')
  if (!skipColon(cursor)) return failed
  const followers = type.followers[place] ??= new Followers()
  followers.add(source.subarray(before, cursor.at), type.elements[cursor.index]!)
  return copied
}

function skipColon (cursor: Cursor): boolean {
  cursor.skipBlanks()
  if (cursor.source[cursor.at] !== colon) return cursor.fail('must be JSON') !== failed
  cursor.at++
  cursor.skipBlanks()
  return true
}

/** `resourceType` has to be the type's name. It is written where it stands, unless the type's prefix has written it. */
export function copyResourceType (cursor: Cursor, type: TypeNode, frame: Frame): boolean {
  if (frame.hasResourceType) return cursor.failAt('resourceType', 'stands twice') !== failed
  frame.hasResourceType = true
  if (!type.quotedName.take(cursor)) return cursor.failAt('resourceType', `must be ${type.name}`) !== failed
  if (type.prefix !== undefined) return true
  startNext(cursor)
  resourceTypeKey.put(cursor)
  type.quotedName.put(cursor)
  return true
}

/** Writes what leads to the element's value. */
export function startElement (cursor: Cursor, element: ElementNode): void {
  startNext(cursor)
  element.key.put(cursor)
}

/** A comma, unless this is the first in its object. */
function startNext (cursor: Cursor): void {
  if (cursor.target[cursor.to - 1] !== openBrace) cursor.target[cursor.to++] = comma
}

/** A name that looks like no element's might be somebody's data: it is not told. */
function toSafeName (source: Buffer, start: number, end: number): string {
  const name = source.toString('latin1', start, Math.min(end, start + 64))
  return /^_?[a-z][A-Za-z0-9]*$/.test(name) ? name : '?'
}
