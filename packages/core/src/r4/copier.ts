import { absent, copied, failed, isBlank, type Cursor, type Status } from './cursor.ts'
import { Followers } from './followers.ts'
import { Frame } from './frame.ts'
import { Literal } from './literal.ts'
import type { Overlay, OverlayEntry } from './overlay.ts'
import { getType, isResourceType, type ElementNode, type TypeNode } from './table.ts'

/**
 * Copies JSON of a FHIR R4 type from the cursor's source to its target, byte for byte but for blanks between values, and checks it on
 * the way by the table: element names, datatypes, cardinality, choices, required codes, and ele-1, for which an extension is content
 * as well as a value (https://hl7.org/fhir/R4/json.html). Nothing is parsed, so decimals keep their digits and strings their escapes.
 * A copier that fails leaves the problem and its path in the cursor; what it has written is to be thrown away.
 */

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]
const backslash = 0x5c
const maxDepth = 200
/** No value that is remembered is nested so deeply that it would go beyond the other limit from here. */
const maxMemoDepth = 50
const dataAbsentReason = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason'
/** What is left of an attachment that had nothing but a url: an element is never empty. */
const maskedUrl = Buffer.from(`"_url":{"extension":[{"url":"${dataAbsentReason}","valueCode":"masked"}]}`)

/** Places in an object by which its followers are kept: after its brace, after `resourceType`, and after each element. */
const [atStart, afterType, afterFirst] = [0, 1, 2]

/** One for each depth, used again and again. */
const frames: Frame[] = []

/** Copies the element's value, of which the cursor stands at the first byte. */
function copyElement (cursor: Cursor, element: ElementNode, frame?: Frame): Status {
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
function copyItem (cursor: Cursor, { type, codes }: ElementNode): Status {
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
  if (name === undefined) return failAt(cursor, 'resourceType', 'is required')
  if (!isResourceType(name)) return failAt(cursor, 'resourceType', 'is not a resource type of FHIR R4')
  return copyObject(cursor, getType(name))
}

function failAt (cursor: Cursor, step: string | number | ElementNode, problem: string): typeof failed {
  cursor.path.push(step)
  return cursor.fail(problem)
}

/** Makes an object of what is to be put over it, where the source has none. */
export function createObject (cursor: Cursor, type: TypeNode, overlay: Overlay): Status {
  return copyAnew(cursor, type, overlay, false)
}

/** Copies an object of a complex type, with what is to be put over it. */
export function copyObject (cursor: Cursor, type: TypeNode, overlay?: Overlay): Status {
  if (cursor.source[cursor.at] !== openBrace) return cursor.fail('must be an object')
  if (cursor.depth === maxDepth) return cursor.fail('is nested too deeply')
  if (overlay !== undefined || cursor.takeUrl !== undefined) return copyAnew(cursor, type, overlay)
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

/** `hasSource`: of the object at the cursor, or of the overlay alone. */
function copyAnew (cursor: Cursor, type: TypeNode, overlay?: Overlay, hasSource = true): Status {
  const frame = frames[cursor.depth++] ??= new Frame()
  frame.begin()
  overlay?.spans?.fill(-1)
  const start = cursor.to
  cursor.target[cursor.to++] = openBrace
  if (overlay?.prefix !== undefined) cursor.put(overlay.prefix)
  const first = cursor.to
  if (hasSource && !copyElements(cursor, type, frame, overlay, first)) return failed
  if (overlay !== undefined && !copyOverlay(cursor, frame, overlay, first)) return failed
  if (cursor.to === first && frame.isUrlLeftOut) cursor.put(maskedUrl)
  if (cursor.to === first && !type.isResource) {
    cursor.depth--
    if (!cursor.isColumn && overlay === undefined) return cursor.fail('must not be empty')
    cursor.to = start
    return absent
  }
  if (!hasWhatItNeeds(cursor, type, frame)) return failed
  cursor.target[cursor.to++] = closeBrace
  cursor.depth--
  return copied
}

/** The elements that the source has, up to and with the closing brace. */
function copyElements (cursor: Cursor, type: TypeNode, frame: Frame, overlay: Overlay | undefined, first: number): boolean {
  cursor.at++
  let place = atStart
  for (;;) {
    let element = type.followers[place]?.take(cursor)
    if (element === undefined) {
      const { at } = cursor
      const status = takeName(cursor, type, place === atStart)
      if (status === absent) return true
      if (status === failed) return false
      if (cursor.index === -1) {
        if (!copyResourceType(cursor, type, overlay, first)) return false
        place = afterType
        continue
      }
      element = type.elements[cursor.index]!
      const followers = type.followers[place] ??= new Followers()
      followers.add(cursor.source.subarray(at, cursor.at), element)
    }
    const { index } = element
    place = index + afterFirst
    if (frame.has(index)) return failAt(cursor, element, 'stands twice') !== failed
    const mark = cursor.to
    startElement(cursor, element, first)
    const { at, to: valueAt } = cursor
    const status = overlay === undefined ? copyElement(cursor, element, frame) : copyUnder(cursor, element, frame, overlay)
    if (status === failed) return false
    if (status === copied) {
      frame.see(element)
      if (overlay === undefined) frame.note(element, at, cursor.at, valueAt, cursor.to)
      if (element.isAttachmentUrl && cursor.takeUrl?.(cursor, valueAt) === false) {
        cursor.to = mark
        frame.isUrlLeftOut = true
      } else if (overlay?.keeps?.[index] === false) cursor.to = mark
      else if (overlay?.spans !== undefined) takeSpan(overlay.spans, index, valueAt, cursor.to)
    } else {
      cursor.to = mark
    }
  }
}

/**
 * Takes what leads to the next value: the name's element is at `cursor.index`; -1 for `resourceType`. `absent`: there is none, the object
 * is closed.
 */
function takeName (cursor: Cursor, type: TypeNode, isFirst: boolean): Status {
  const { source, end } = cursor
  cursor.skipBlanks()
  const byte = source[cursor.at]
  if (cursor.at < end && byte === closeBrace) {
    cursor.at++
    return absent
  }
  if (!isFirst) {
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
  if (cursor.index === -1) return failAt(cursor, toSafeName(source, start, at), 'is not an element of its type')
  return skipColon(cursor) ? copied : failed
}

function takeSpan (spans: Int32Array, index: number, start: number, end: number): void {
  spans[2 * index] = start
  spans[2 * index + 1] = end
}

function startElement (cursor: Cursor, element: ElementNode, first: number): void {
  if (cursor.to > first || cursor.target[first - 1] !== openBrace) cursor.target[cursor.to++] = comma
  element.key.put(cursor)
}

/** An element of the source under an overlay: what a column replaces is checked all the same, and left out. */
function copyUnder (cursor: Cursor, element: ElementNode, frame: Frame, overlay: Overlay): Status {
  const entry = overlay.byElement[element.index]
  const start = cursor.to
  const isLeftOut = isAnyThere(overlay.replacedBy[element.index]!, cursor.fields)
  const status = isLeftOut ? copyElement(cursor, element, frame) : copyInto(cursor, element, frame, entry)
  if (status === failed) return failed
  if (isLeftOut) return absent
  return entry === undefined ? status : appendItem(cursor, entry, start, status)
}

/** The element with what is nested in it. */
function copyInto (cursor: Cursor, element: ElementNode, frame: Frame, entry: OverlayEntry | undefined): Status {
  const nested = entry?.nested
  if (nested === undefined || !isAnyThere(nested.touchedBy, cursor.fields)) return copyElement(cursor, element, frame)
  cursor.path.push(element)
  const status = copyObject(cursor, element.type, nested)
  if (status !== failed) cursor.path.pop()
  return status
}

function isAnyThere (fields: readonly number[], starts: Int32Array): boolean {
  for (let i = 0; i < fields.length; i++) if (starts[fields[i]!]! >= 0) return true
  return false
}

/** Of a list: what the overlay has as a further item. */
function appendItem (cursor: Cursor, entry: OverlayEntry, start: number, status: Status): Status {
  if (entry.openItem === undefined || !isAnyThere(entry.touchedBy, cursor.fields)) return status
  const { input, at, end, isColumn, takeUrl, to: mark } = cursor
  const isList = status === copied
  cursor.path.push(entry.element)
  let appended = entry.openItem(cursor, isList ? start : -1)
  if (appended === copied) {
    if (isList) cursor.target[mark - 1] = comma
    else cursor.target[cursor.to++] = openBracket
    appended = copyItem(cursor, entry.element)
  }
  if (appended === failed) return failed
  cursor.read(input, at, end)
  cursor.isColumn = isColumn
  cursor.takeUrl = takeUrl
  cursor.path.pop()
  if (appended === absent) {
    cursor.to = mark
    if (isList) cursor.target[mark - 1] = closeBracket
    return status
  }
  cursor.target[cursor.to++] = closeBracket
  return copied
}

/** The overlay's elements that the source does not have. */
function copyOverlay (cursor: Cursor, frame: Frame, overlay: Overlay, first: number): boolean {
  const { fields, input, at, end, isColumn, takeUrl } = cursor
  for (const entry of overlay.entries) {
    const isTouched = isAnyThere(entry.touchedBy, fields)
    if (!isTouched && entry.openDefault === undefined) continue
    const { element } = entry
    if (frame.has(element.index) || isAnyThere(entry.givesWayTo, fields)) continue
    const mark = cursor.to
    startElement(cursor, element, first)
    const start = cursor.to
    const status = copyEntry(cursor, entry, isTouched, start, frame)
    cursor.isColumn = isColumn
    cursor.takeUrl = takeUrl
    if (status === failed) return false
    if (status === copied) frame.see(element)
    if (status === absent || overlay.keeps?.[element.index] === false) cursor.to = mark
    else if (overlay.spans !== undefined) takeSpan(overlay.spans, element.index, start, cursor.to)
  }
  cursor.read(input, at, end)
  return true
}

function copyEntry (cursor: Cursor, entry: OverlayEntry, isTouched: boolean, start: number, frame: Frame): Status {
  const { isColumn, takeUrl } = cursor
  let status: Status = isTouched ? copyOver(cursor, entry, frame) : absent
  if (entry.openDefault === undefined && entry.openItem === undefined) return status
  cursor.isColumn = isColumn
  cursor.takeUrl = takeUrl
  if (status === absent) status = copyDefault(cursor, entry, frame)
  return status === failed ? failed : appendItem(cursor, entry, start, status)
}

/** The row's value, with what is nested in it. */
function copyOver (cursor: Cursor, entry: OverlayEntry, frame: Frame): Status {
  const { element, nested } = entry
  const hasValue = entry.field !== undefined && cursor.fields[entry.field]! >= 0
  if (hasValue) {
    if (entry.putValue?.(cursor) === true) return copied
    if (entry.openValue?.(cursor) !== copied) return failAt(cursor, element, cursor.problem)
    return nested === undefined ? copyElement(cursor, element, frame) : copyInto(cursor, element, frame, entry)
  }
  if (nested === undefined || !isAnyThere(nested.touchedBy, cursor.fields)) return absent
  cursor.path.push(element)
  const status = copyAnew(cursor, element.type, nested, false)
  if (status !== failed) cursor.path.pop()
  return status
}

function copyDefault (cursor: Cursor, entry: OverlayEntry, frame: Frame): Status {
  const opened = entry.openDefault?.(cursor) ?? absent
  if (opened === failed) return failAt(cursor, entry.element, cursor.problem)
  return opened === absent ? absent : copyElement(cursor, entry.element, frame)
}

/** Cardinality, choices, ele-1, and nulls that hold the place of extensions. */
function hasWhatItNeeds (cursor: Cursor, type: TypeNode, frame: Frame): boolean {
  const { lists } = frame
  for (let i = 0; i < type.required.length; i++) {
    const { name, indexes } = type.required[i]!
    if (!frame.hasAny(indexes)) return failAt(cursor, name, 'is required') !== failed
  }
  if (frame.choices > 1 && !hasOneOfEachChoice(cursor, type, frame)) return false
  if (type.idIndex !== -1 && frame.has(type.idIndex) && !type.isResource && type.name !== 'Element' && !hasMoreThanId(type, frame)) {
    return cursor.fail('must have content besides its id') !== failed
  }
  if (lists === undefined) return true
  for (const { element, isThere } of lists) {
    if (element.extends !== undefined) {
      if (isThere.includes(true) || frame.has(element.extends)) continue
      return failAt(cursor, element, 'must not be empty') !== failed
    }
    const extensions = lists.find((list) => list.element.extends === element.index)
    for (const [i, value] of isThere.entries()) {
      if (value || extensions?.isThere[i] === true) continue
      cursor.path.push(element)
      return failAt(cursor, i, 'must not be null without an extension') !== failed
    }
  }
  return true
}

function hasMoreThanId ({ elements, idIndex }: TypeNode, frame: Frame): boolean {
  return elements.some(({ index }) => index !== idIndex && frame.has(index))
}

function hasOneOfEachChoice (cursor: Cursor, type: TypeNode, frame: Frame): boolean {
  for (let i = 0; i < type.choices.length; i++) {
    const { base, members } = type.choices[i]!
    let chosen = -1
    for (let n = 0; n < members.length; n++) {
      const { index, value } = members[n]!
      if (!frame.has(index)) continue
      if (chosen !== -1 && chosen !== value) return failAt(cursor, `${base}[x]`, 'must stand only once, with one type') !== failed
      chosen = value
    }
  }
  return true
}

const resourceTypeName = new Literal(Buffer.from('"resourceType"'))
const resourceTypeKey = new Literal(Buffer.from('"resourceType":'))

/** `resourceType` has to be the type's name. It is written here, unless the overlay has written it. */
function copyResourceType (cursor: Cursor, type: TypeNode, overlay: Overlay | undefined, first: number): boolean {
  if (!type.quotedName.take(cursor)) return failAt(cursor, 'resourceType', `must be ${type.name}`) !== failed
  if (overlay?.prefix !== undefined) return true
  if (cursor.to > first) cursor.target[cursor.to++] = comma
  resourceTypeKey.put(cursor)
  type.quotedName.put(cursor)
  return true
}

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

function skipColon (cursor: Cursor): boolean {
  cursor.skipBlanks()
  if (cursor.source[cursor.at] !== colon) return cursor.fail('must be JSON') !== failed
  cursor.at++
  cursor.skipBlanks()
  return true
}

function isNull ({ source, at }: Cursor): boolean {
  return source[at] === 0x6e && source[at + 1] === 0x75 && source[at + 2] === 0x6c && source[at + 3] === 0x6c
}

const nullText = Buffer.from('null')

function copyNull (cursor: Cursor): void {
  cursor.put(nullText)
  cursor.at += 4
}

/** Passes over null, "", [] and {}; says whether it did. */
function skipEmpty (cursor: Cursor): boolean {
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

/** A name that looks like no element's might be somebody's data: it is not told. */
function toSafeName (source: Buffer, start: number, end: number): string {
  const name = source.toString('latin1', start, Math.min(end, start + 64))
  return /^_?[a-z][A-Za-z0-9]*$/.test(name) ? name : '?'
}
