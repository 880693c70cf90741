import { hasWhatItNeeds } from './completeness.ts'
import { absent, copied, failed, type Cursor, type Status } from './cursor.ts'
import { beginFrame, frames, type Frame } from './frame.ts'
import { afterFirst, afterType, atStart, copyResourceType, startElement, takeName } from './next-element.ts'
import { copyNull, isNull, skipEmpty } from './nothing.ts'
import { findResourceType } from './resource-type.ts'
import { getType, isResourceType, type ElementNode, type TypeNode } from './table.ts'

/**
 * Copies JSON of a FHIR R4 type from the cursor's source to its target, byte for byte but for blanks between values, and checks it on
 * the way by the table: element names, datatypes, cardinality, choices, required codes, and ele-1, for which an extension is content
 * as well as a value (https://hl7.org/fhir/R4/json.html). Nothing is parsed, so decimals keep their digits and strings their escapes.
 * A copier that fails leaves the problem and its path in the cursor; what it has written is to be thrown away.
 */

const [comma, openBrace, closeBrace, openBracket, closeBracket] = [0x2c, 0x7b, 0x7d, 0x5b, 0x5d]
const maxDepth = 200
/** No value that is remembered is nested so deeply that it would go beyond the other limit from here. */
const maxMemoDepth = 50
const dataAbsentReason = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason'
/** What is left of an attachment that had nothing but a url: an element is never empty. */
const maskedUrl = Buffer.from(`"_url":{"extension":[{"url":"${dataAbsentReason}","valueCode":"masked"}]}`)

/** Copies the element's value, of which the cursor stands at the first byte. `frame`: of the object that it is in. */
export function copyElement (cursor: Cursor, element: ElementNode, frame?: Frame): Status {
  if (cursor.isColumn && skipEmpty(cursor)) return absent
  const { memos } = element
  if (memos === undefined || cursor.takeUrl !== undefined || cursor.depth > maxMemoDepth) return copyValue(cursor, element, frame)
  const memo = memos.get(cursor.isColumn)
  if (memo.copy(cursor)) return copied
  const { at, to } = cursor
  const status = copyValue(cursor, element, frame)
  if (status === copied) memo.keep(cursor, at, to)
  return status
}

function copyValue (cursor: Cursor, element: ElementNode, frame: Frame | undefined): Status {
  cursor.path.push(element)
  const status = element.isList ? copyList(cursor, element, frame) : copyItem(cursor, element)
  if (status !== failed) cursor.path.pop()
  return status
}

/** Copies one value of the element's type, whether or not the element is a list. */
export function copyItem (cursor: Cursor, { type, codes }: ElementNode): Status {
  if (type.copyPrimitive !== undefined) return type.copyPrimitive(cursor, codes)
  if (type.name === 'Resource') return copyAnyResource(cursor)
  return copyObject(cursor, type)
}

function copyList (cursor: Cursor, element: ElementNode, frame: Frame | undefined): Status {
  const { path, target, to: start } = cursor
  if (cursor.source[cursor.at] !== openBracket) return cursor.fail('must be an array')
  target[cursor.to++] = openBracket
  cursor.at++
  cursor.skipBlanks()
  if (cursor.source[cursor.at] === closeBracket) return cursor.fail('must not be empty')
  const mayBeNull = element.type.isPrimitive || element.extends !== undefined
  let isThere = element.extends === undefined ? undefined : new Array<boolean>()
  let written = 0
  for (let index = 0; ; index++) {
    path.push(index)
    const mark = cursor.to
    if (written > 0) cursor.target[cursor.to++] = comma
    let status: Status
    if (mayBeNull && isNull(cursor)) {
      copyNull(cursor)
      isThere ??= new Array<boolean>(index).fill(true)
      isThere.push(false)
      status = copied
    } else {
      status = cursor.isColumn && skipEmpty(cursor) ? absent : copyItem(cursor, element)
      isThere?.push(true)
    }
    if (status === failed) return failed
    path.pop()
    if (status === absent) cursor.to = mark
    else written++
    cursor.skipBlanks()
    const byte = cursor.source[cursor.at]
    if (cursor.at >= cursor.end || (byte !== comma && byte !== closeBracket)) return cursor.fail('must be JSON')
    cursor.at++
    if (byte === closeBracket) break
    cursor.skipBlanks()
  }
  if (isThere !== undefined && frame !== undefined) (frame.lists ??= []).push({ element, isThere })
  if (written === 0) {
    cursor.to = start
    return absent
  }
  cursor.target[cursor.to++] = closeBracket
  return copied
}

/** Copies a resource of the type that it names. */
export function copyAnyResource (cursor: Cursor): Status {
  if (cursor.source[cursor.at] !== openBrace) return cursor.fail('must be an object')
  const name = findResourceType(cursor)
  if (name === undefined) return cursor.failAt('resourceType', 'is required')
  if (!isResourceType(name)) return cursor.failAt('resourceType', 'is not a resource type of FHIR R4')
  return copyObject(cursor, getType(name))
}

/** Copies an object of a complex type. */
export function copyObject (cursor: Cursor, type: TypeNode): Status {
  if (cursor.source[cursor.at] !== openBrace) return cursor.fail('must be an object')
  if (cursor.depth === maxDepth) return cursor.fail('is nested too deeply')
  if (cursor.takeUrl !== undefined) return copyAnew(cursor, type)
  const shapes = type.shapes[cursor.isColumn ? 1 : 0]
  const { at, to, isShapeless } = cursor
  if (!isShapeless) {
    const { depth, path: { length } } = cursor
    cursor.depth++
    const known = shapes.copy(cursor, copyKnown)
    cursor.depth = depth
    if (known === copied) return copied
    cursor.at = at
    cursor.to = to
    cursor.path.length = length
    // So that nothing in it is copied a third time.
    cursor.isShapeless = known === failed
  }
  const status = copyAnew(cursor, type)
  cursor.isShapeless = isShapeless
  if (status !== copied) return status
  const { lists, values, count } = frames[cursor.depth]!
  if (lists === undefined) shapes.learn(cursor, at, to, values, count)
  return copied
}

/** Copies a value in an object of a known shape. What is empty or null is not for it. */
function copyKnown (cursor: Cursor, element: ElementNode): Status {
  const memo = cursor.depth > maxMemoDepth ? undefined : element.memos?.get(cursor.isColumn)
  if (memo?.copy(cursor) === true) return copied
  const { at, to } = cursor
  const status = element.isList ? copyPlainList(cursor, element) : copyItem(cursor, element)
  if (status === copied) memo?.keep(cursor, at, to)
  return status
}

/** A list without nulls, of which no item is left out. */
function copyPlainList (cursor: Cursor, element: ElementNode): Status {
  const { source } = cursor
  if (source[cursor.at++] !== openBracket) return failed
  cursor.target[cursor.to++] = openBracket
  for (;;) {
    cursor.skipBlanks()
    if (copyItem(cursor, element) !== copied) return failed
    cursor.skipBlanks()
    const byte = source[cursor.at]!
    if (cursor.at++ >= cursor.end || (byte !== comma && byte !== closeBracket)) return failed
    cursor.target[cursor.to++] = byte
    if (byte === closeBracket) return copied
  }
}

function copyAnew (cursor: Cursor, type: TypeNode): Status {
  const frame = beginFrame(cursor)
  const start = cursor.to
  cursor.target[cursor.to++] = openBrace
  type.prefix?.put(cursor)
  const first = cursor.to
  if (!copyElements(cursor, type, frame)) return failed
  if (cursor.to === first && frame.isUrlLeftOut) {
    cursor.reserveRest(maskedUrl.length)
    cursor.put(maskedUrl)
  }
  if (cursor.to === first && !type.isResource) {
    cursor.depth--
    if (!cursor.isColumn) return cursor.fail('must not be empty')
    cursor.to = start
    return absent
  }
  return endObject(cursor, type, frame)
}

export function endObject (cursor: Cursor, type: TypeNode, frame: Frame): Status {
  if (!hasWhatItNeeds(cursor, type, frame)) return failed
  cursor.target[cursor.to++] = closeBrace
  cursor.depth--
  return copied
}

/** All elements, up to and with the closing brace. */
function copyElements (cursor: Cursor, type: TypeNode, frame: Frame): boolean {
  cursor.at++
  let place = atStart
  for (;;) {
    let element = type.followers[place]?.take(cursor)
    if (element === undefined) {
      const status = takeName(cursor, type, place)
      if (status !== copied) return status === absent
      if (cursor.index === -1) {
        if (!copyResourceType(cursor, type, frame)) return false
        place = afterType
        continue
      }
      element = type.elements[cursor.index]!
    }
    place = element.index + afterFirst
    if (frame.has(element.index)) return cursor.failAt(element, 'stands twice') !== failed
    const mark = cursor.to
    startElement(cursor, element)
    const { at, to } = cursor
    const status = copyElement(cursor, element, frame)
    if (status === failed) return false
    if (status === absent) {
      cursor.to = mark
      continue
    }
    frame.see(element)
    frame.note(element, at, cursor.at, to, cursor.to)
    if (element.isAttachmentUrl && cursor.takeUrl?.(cursor, to) === false) {
      cursor.to = mark
      frame.isUrlLeftOut = true
    }
  }
}
