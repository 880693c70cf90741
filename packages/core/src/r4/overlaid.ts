import { copyElement, copyItem, endObject } from './copier.ts'
import { absent, copied, failed, type Cursor, type Status } from './cursor.ts'
import { beginFrame, type Frame } from './frame.ts'
import { afterFirst, afterType, atStart, copyResourceType, startElement, takeName } from './next-element.ts'
import type { Overlay, OverlayEntry } from './overlay.ts'
import type { ElementNode, TypeNode } from './table.ts'

/* Objects with values from a row's columns put over them (overlay.ts). Nothing beneath the overlay knows of it: copier.ts copies that. */

const [comma, openBrace, openBracket, closeBracket] = [0x2c, 0x7b, 0x5b, 0x5d]

/** Copies the object at the cursor, with what is to be put over it. */
export function copyOverlaid (cursor: Cursor, type: TypeNode, overlay: Overlay): Status {
  if (cursor.source[cursor.at] !== openBrace) return cursor.fail('must be an object')
  return copyUnder(cursor, type, overlay, true)
}

/** Makes an object of what is to be put over it, where the source has none. */
export function createOverlaid (cursor: Cursor, type: TypeNode, overlay: Overlay): Status {
  return copyUnder(cursor, type, overlay, false)
}

function copyUnder (cursor: Cursor, type: TypeNode, overlay: Overlay, hasSource: boolean): Status {
  const frame = beginFrame(cursor)
  overlay.spans?.fill(-1)
  const start = cursor.to
  cursor.target[cursor.to++] = openBrace
  type.prefix?.put(cursor)
  const first = cursor.to
  if (hasSource && !copyElements(cursor, type, frame, overlay)) return failed
  if (!addMissing(cursor, frame, overlay)) return failed
  if (cursor.to > first || type.isResource) return endObject(cursor, type, frame)
  cursor.depth--
  cursor.to = start
  return absent
}

/** The elements that the source has, up to and with the closing brace. */
function copyElements (cursor: Cursor, type: TypeNode, frame: Frame, overlay: Overlay): boolean {
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
    const { index } = element
    place = index + afterFirst
    if (frame.has(index)) return cursor.failAt(element, 'stands twice') !== failed
    const mark = cursor.to
    startElement(cursor, element)
    const start = cursor.to
    const status = copyOrReplace(cursor, element, frame, overlay)
    if (status === failed) return false
    if (status === copied) frame.see(element)
    keepOrLeaveOut(cursor, overlay, index, status, mark, start)
  }
}

/** What stands in the target from `mark` on, and its value from `start` on, stays there if it is to be written. */
function keepOrLeaveOut (cursor: Cursor, { keeps, spans }: Overlay, index: number, status: Status, mark: number, start: number): void {
  if (status === absent || keeps?.[index] === false) cursor.to = mark
  else if (spans !== undefined) {
    spans[2 * index] = start
    spans[2 * index + 1] = cursor.to
  }
}

/** An element of the source: what a column replaces is checked all the same, and left out. */
function copyOrReplace (cursor: Cursor, element: ElementNode, frame: Frame, overlay: Overlay): Status {
  const entry = overlay.byElement[element.index]
  const start = cursor.to
  if (isAnyThere(overlay.replacedBy[element.index]!, cursor.fields)) {
    return copyElement(cursor, element, frame) === failed ? failed : absent
  }
  const status = copyInto(cursor, element, frame, entry)
  return status === failed || entry === undefined ? status : appendItem(cursor, entry, start, status)
}

/** The element with what is nested in it. */
function copyInto (cursor: Cursor, element: ElementNode, frame: Frame, entry: OverlayEntry | undefined): Status {
  const nested = entry?.nested
  if (nested === undefined || !isAnyThere(nested.touchedBy, cursor.fields)) return copyElement(cursor, element, frame)
  cursor.path.push(element)
  const status = copyOverlaid(cursor, element.type, nested)
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
  cursor.resume(input, at, end)
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
function addMissing (cursor: Cursor, frame: Frame, overlay: Overlay): boolean {
  const { fields, input, at, end, isColumn, takeUrl } = cursor
  for (const entry of overlay.entries) {
    const isTouched = isAnyThere(entry.touchedBy, fields)
    if (!isTouched && entry.openDefault === undefined) continue
    const { element } = entry
    if (frame.has(element.index) || isAnyThere(entry.givesWayTo, fields)) continue
    const mark = cursor.to
    startElement(cursor, element)
    const start = cursor.to
    const status = copyEntry(cursor, entry, isTouched, start, frame)
    cursor.isColumn = isColumn
    cursor.takeUrl = takeUrl
    if (status === failed) return false
    if (status === copied) frame.see(element)
    keepOrLeaveOut(cursor, overlay, element.index, status, mark, start)
  }
  cursor.resume(input, at, end)
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
    const { to } = cursor
    if (entry.putValue?.(cursor) === true) return copied
    cursor.to = to
    if (entry.openValue?.(cursor) !== copied) return cursor.failAt(element, cursor.problem)
    return nested === undefined ? copyElement(cursor, element, frame) : copyInto(cursor, element, frame, entry)
  }
  if (nested === undefined || !isAnyThere(nested.touchedBy, cursor.fields)) return absent
  cursor.path.push(element)
  const status = createOverlaid(cursor, element.type, nested)
  if (status !== failed) cursor.path.pop()
  return status
}

function copyDefault (cursor: Cursor, entry: OverlayEntry, frame: Frame): Status {
  const { to } = cursor
  if (entry.putDefault?.(cursor) === true) return copied
  cursor.to = to
  const opened = entry.openDefault?.(cursor) ?? absent
  if (opened === failed) return cursor.failAt(entry.element, cursor.problem)
  return opened === absent ? absent : copyElement(cursor, entry.element, frame)
}
