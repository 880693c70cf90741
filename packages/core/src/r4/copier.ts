import { absent, copied, failed, isBlank, type Cursor, type Status } from './cursor.ts'
import { Frame } from './frame.ts'
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

/** One for each depth, used again and again. */
const frames: Frame[] = []

/** Copies the element's value, of which the cursor stands at the first byte. */
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
    if (byte !== comma && byte !== closeBracket) return cursor.fail('must be JSON')
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

/** Copies an object of a complex type, with what is to be put over it. */
export function copyObject (cursor: Cursor, type: TypeNode, overlay?: Overlay): Status {
  if (cursor.source[cursor.at] !== openBrace) return cursor.fail('must be an object')
  if (cursor.depth === maxDepth) return cursor.fail('is nested too deeply')
  const frame = frames[cursor.depth++] ??= new Frame()
  frame.begin()
  overlay?.spans?.fill(-1)
  const start = cursor.to
  cursor.target[cursor.to++] = openBrace
  if (overlay?.prefix !== undefined) cursor.put(overlay.prefix)
  const first = cursor.to
  if (!copyElements(cursor, type, frame, overlay, first)) return failed
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
  const { source, end } = cursor
  cursor.at++
  cursor.skipBlanks()
  if (source[cursor.at] === closeBrace) {
    cursor.at++
    return true
  }
  let index = -1
  for (;;) {
    const status = takeName(cursor, type, index)
    if (status === failed) return false
    if (status === absent) {
      if (!copyResourceType(cursor, type, overlay, first)) return false
    } else {
      index = cursor.index
      const element = type.elements[index]!
      if (frame.has(index)) return failAt(cursor, element, 'stands twice') !== failed
      const mark = cursor.to
      startElement(cursor, element, first)
      const valueAt = cursor.to
      const status = overlay === undefined ? copyElement(cursor, element, frame) : copyUnder(cursor, element, frame, overlay)
      if (status === failed) return false
      if (status === copied) {
        frame.see(element)
        if (element.isAttachmentUrl && cursor.takeUrl?.(cursor, valueAt) === false) {
          cursor.to = mark
          frame.isUrlLeftOut = true
        } else if (overlay?.keeps?.[index] === false) cursor.to = mark
        else if (overlay?.spans !== undefined) takeSpan(overlay.spans, index, valueAt, cursor.to)
      } else {
        cursor.to = mark
      }
    }
    cursor.skipBlanks()
    const byte = source[cursor.at]
    if (cursor.at >= end || (byte !== comma && byte !== closeBrace)) return cursor.fail('must be JSON') !== failed
    cursor.at++
    if (byte === closeBrace) return true
    cursor.skipBlanks()
  }
}

/**
 * Takes an element's name and its colon; `cursor.index` is the element's index. `absent`: it is `resourceType`. Objects of a type tend to
 * have the same elements in the same order, so the one that followed `before` last is tried first.
 */
function takeName (cursor: Cursor, type: TypeNode, before: number): Status {
  const { source, end } = cursor
  const guess = type.followers[before + 1]!
  if (guess !== -1 && takeKey(cursor, type.elements[guess]!.key)) {
    cursor.index = guess
    cursor.skipBlanks()
    return copied
  }
  if (source[cursor.at] !== quote) return cursor.fail('must be JSON')
  const start = cursor.at + 1
  let at = start
  while (at < end && source[at] !== quote && source[at] !== backslash) at++
  const index = source[at] === quote && at > start && at < end ? type.names.find(source, start, at) : -1
  cursor.at = at + 1
  if (index === -1) {
    const isResourceType = type.isResource && isResourceTypeName(source, start, at)
    return isResourceType ? absent : failAt(cursor, toSafeName(source, start, at), 'is not an element of its type')
  }
  type.followers[before + 1] = index
  cursor.index = index
  return skipColon(cursor) ? copied : failed
}

/** Takes these bytes, if the cursor stands before them. */
function takeKey (cursor: Cursor, key: Buffer): boolean {
  const { source, at } = cursor
  const { length } = key
  if (at + length > cursor.end) return false
  // From the end: names begin alike more often than they end alike.
  for (let i = length - 1; i >= 0; i--) if (source[at + i] !== key[i]) return false
  cursor.at = at + length
  return true
}

function takeSpan (spans: Int32Array, index: number, start: number, end: number): void {
  spans[2 * index] = start
  spans[2 * index + 1] = end
}

function startElement (cursor: Cursor, element: ElementNode, first: number): void {
  if (cursor.to > first || cursor.target[first - 1] !== openBrace) cursor.target[cursor.to++] = comma
  cursor.put(element.key)
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
  const { source, at, end, isColumn, takeUrl, to: mark } = cursor
  const isList = status === copied
  cursor.path.push(entry.element)
  let appended = entry.openItem(cursor, isList ? start : -1)
  if (appended === copied) {
    if (isList) cursor.target[mark - 1] = comma
    else cursor.target[cursor.to++] = openBracket
    appended = copyItem(cursor, entry.element)
  }
  if (appended === failed) return failed
  cursor.read(source, at, end)
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
  const { fields } = cursor
  for (const entry of overlay.entries) {
    const { element } = entry
    if (frame.has(element.index) || isAnyThere(entry.givesWayTo, fields)) continue
    const isTouched = isAnyThere(entry.touchedBy, fields)
    if (!isTouched && entry.openDefault === undefined) continue
    const mark = cursor.to
    startElement(cursor, element, first)
    const start = cursor.to
    let status: Status = absent
    if (isTouched) status = withSource(cursor, openOver, entry, frame)
    if (status === absent && entry.openDefault !== undefined) status = withSource(cursor, openDefault, entry, frame)
    if (status !== failed) status = appendItem(cursor, entry, start, status)
    if (status === failed) return false
    if (status === copied) frame.see(element)
    if (status === absent || overlay.keeps?.[element.index] === false) cursor.to = mark
    else if (overlay.spans !== undefined) takeSpan(overlay.spans, element.index, start, cursor.to)
  }
  return true
}

/** The row's value, with what is nested in it. */
function openOver (cursor: Cursor, entry: OverlayEntry, frame: Frame): Status {
  const { element, nested } = entry
  const hasValue = entry.field !== undefined && cursor.fields[entry.field]! >= 0
  if (!hasValue && (nested === undefined || !isAnyThere(nested.touchedBy, cursor.fields))) return absent
  if (!hasValue) cursor.read(emptyObject, 0, emptyObject.length)
  else if (entry.openValue?.(cursor) !== copied) return failAt(cursor, element, cursor.problem)
  return copyInto(cursor, element, frame, entry)
}

function openDefault (cursor: Cursor, entry: OverlayEntry, frame: Frame): Status {
  const opened = entry.openDefault?.(cursor) ?? absent
  if (opened === copied) return copyElement(cursor, entry.element, frame)
  return opened === failed ? failAt(cursor, entry.element, cursor.problem) : absent
}

const emptyObject = Buffer.from('{}')

type CopyEntry = (cursor: Cursor, entry: OverlayEntry, frame: Frame) => Status

/** Copies from another source, and goes back to this one. */
function withSource (cursor: Cursor, copy: CopyEntry, entry: OverlayEntry, frame: Frame): Status {
  const { source, at, end, isColumn, takeUrl } = cursor
  const status = copy(cursor, entry, frame)
  cursor.read(source, at, end)
  cursor.isColumn = isColumn
  cursor.takeUrl = takeUrl
  return status
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

const resourceTypeName = Buffer.from('resourceType')
const resourceTypeKey = Buffer.from('"resourceType":')

function isResourceTypeName (source: Buffer, start: number, end: number): boolean {
  return end - start === resourceTypeName.length && resourceTypeName.compare(source, start, end) === 0
}

/** `resourceType` has to be the type's name. It is written here, unless the overlay has written it. */
function copyResourceType (cursor: Cursor, type: TypeNode, overlay: Overlay | undefined, first: number): boolean {
  if (!skipColon(cursor)) return false
  if (!takeKey(cursor, type.quotedName)) return failAt(cursor, 'resourceType', `must be ${type.name}`) !== failed
  if (overlay?.prefix !== undefined) return true
  if (cursor.to > first) cursor.target[cursor.to++] = comma
  cursor.put(resourceTypeKey)
  cursor.put(type.quotedName)
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
      if (depth === 1 && isKey && isResourceTypeName(source, start, at)) return readName(source, at + 1, end)
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
